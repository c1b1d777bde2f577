import type { Logger } from './logger';
import { onStopSignal } from './stopSignal';

/**
 * Something that runs until it is stopped. `start` and `stop` may be called in any order and repeatedly:
 * stop before start and a second stop do nothing; stop waits until nothing of it runs any more.
 */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** An error that a user can cause and mend: shown as one line, without a stack. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}

export interface RunOptions {
  logger: Logger;
  /** In starting order; they are stopped in the opposite order. */
  services: readonly Service[];
  /** Resolves when a service has ended by itself and the program must stop; rejects when it failed. */
  failed?: Promise<never>;
  /** Longest time that stopping may take, in milliseconds. */
  stopTimeoutMs?: number;
}

/**
 * Starts the services, waits for SIGTERM, SIGINT or SIGHUP and stops them. Resolves to the exit code: 0 after a signal,
 * 1 when a service failed to start, failed later, or did not stop in time. A second signal exits at once.
 */
export async function runUntilSignal({
  logger,
  services,
  failed,
  stopTimeoutMs = 10_000,
}: RunOptions): Promise<number> {
  const signal = onceSignalled(logger);
  const ended = failed ? [signal, failed] : [signal];
  const started: Service[] = [];
  let exitCode = 0;
  try {
    for (const service of services) {
      started.unshift(service);
      const outcome = await Promise.race([service.start(), ...ended]);
      if (outcome === 'signal') break;
    }
    await Promise.race(ended);
  } catch (error) {
    exitCode = 1;
    reportFailure(logger, error);
  }
  const stopped = await withTimeout(stopAll(started, logger), stopTimeoutMs);
  if (stopped === 'timeout') logger.error({ stopTimeoutMs }, 'stopping took too long; leaving at once');
  return stopped === true ? exitCode : 1;
}

/** Logs why a program ends: one line for what a user can mend, with the stack for anything else. */
export function reportFailure(logger: Logger, error: unknown): void {
  if (error instanceof UserError || (error instanceof Error && error.name === 'ConfigError')) {
    logger.fatal(error.message);
    logger.debug({ err: error }, 'where it happened');
  } else {
    logger.fatal({ err: error }, 'unexpected failure');
  }
}

function onceSignalled(logger: Logger): Promise<'signal'> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      logger.info({ signal }, 'stopping; a second signal leaves at once');
      resolve('signal');
    };
    onStopSignal(stop, () => process.exit(1));
  });
}

async function stopAll(services: readonly Service[], logger: Logger): Promise<boolean> {
  let clean = true;
  for (const service of services) {
    try {
      await service.stop();
    } catch (error) {
      clean = false;
      logger.error({ err: error, service: service.name }, 'failed to stop cleanly');
    }
  }
  return clean;
}

async function withTimeout<T>(work: Promise<T>, timeoutMs: number): Promise<T | 'timeout'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'timeout'>((resolve) => {
    timer = setTimeout(() => resolve('timeout'), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
