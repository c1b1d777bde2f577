/** The whole system as processes of its own: API, relay and consumers on one database and one broker. */
import { findFreePort } from '../../../dev/postgres/ports';
import { type RunningProgram, spawnProgram, spawnSignalbox } from '../../support/process';
import { waitFor } from '../../support/waitFor';

export interface SystemOptions {
  readonly databaseUrl: string;
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: string[];
}

export interface Part {
  readonly program: RunningProgram;
  readonly url: string;
}

export interface System {
  readonly api: Part;
  readonly relay: Part;
  readonly consumers: Part;
}

const readyWithinMs = 90_000;

/** Starts all three and waits until each says that it is ready. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const [api, relay, consumers] = await Promise.all([
    startPart('api', 'PORT', options),
    startPart('relay', 'RELAY_PORT', options),
    startPart('consumers', 'CONSUMERS_PORT', options),
  ]);
  await Promise.all([api, relay, consumers].map(waitUntilReady));
  return { api, relay, consumers };
}

/** Starts one program; `portVariable` is the one that moves its HTTP port. */
export async function startPart(
  program: 'api' | 'relay' | 'consumers',
  portVariable: string,
  options: SystemOptions,
): Promise<Part> {
  const port = await findFreePort();
  const running = await start(program, {
    ...(options.args ? { args: options.args } : {}),
    env: {
      DATABASE_URL: options.databaseUrl,
      KAFKA_BOOTSTRAP_SERVERS: options.brokers,
      KAFKA_TOPIC_PREFIX: options.topicPrefix,
      CONSUMER_GROUP_PREFIX: options.topicPrefix,
      HOST: '127.0.0.1',
      [portVariable]: String(port),
      ...options.env,
    },
  });
  return { program: running, url: `http://127.0.0.1:${port}` };
}

const start = (
  program: 'api' | 'relay' | 'consumers',
  options: Parameters<typeof spawnSignalbox>[1],
): Promise<RunningProgram> =>
  program === 'api' ? spawnProgram('src/api/main', options) : spawnSignalbox(program, options);

/** Waits for /readyz to say so; a program that has ended will not. */
export async function waitUntilReady({ program, url }: Part): Promise<void> {
  let ended = false;
  void program.exited.then(() => (ended = true));
  await waitFor(
    async () => {
      if (ended) throw new Error(`The program ended. It printed:\n${program.output()}`);
      const response = await fetch(`${url}/readyz`).catch(() => undefined);
      return response?.status === 200;
    },
    {
      deadlineMs: readyWithinMs,
      what: () => `${url}/readyz to answer 200; it printed:\n${program.output()}`,
    },
  );
}
