import { ConfigError } from './config/load';
import { UserError } from './lifecycle';
import { createLogger, type Logger } from './logger';

/**
 * The frame of a command for people and scripts, as program.ts is that of a server: standard output is for the result
 * alone, and what goes wrong is reported on standard error.
 */
export async function runCommand(name: string, main: (logger: Logger) => Promise<number>): Promise<void> {
  const logger = commandLogger(name, process.stderr);
  const fail = (error: unknown): void => process.exit(reportFailure(error, logger, process.stderr));
  // The reader of the result has seen enough (`| head -1`).
  process.stdout.on('error', () => process.exit(0));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  const code = await exitCodeOf(main, { logger, stderr: process.stderr });
  // What is still on its way into a pipe must get there.
  process.stdout.write('', () => process.exit(code));
}

export interface CommandFrame {
  readonly logger: Logger;
  readonly stderr: TextSink;
}

interface TextSink {
  write(text: string): unknown;
}

/** Runs `main`; 1 for an error, which is reported. */
export async function exitCodeOf(
  main: (logger: Logger) => Promise<number>,
  { logger, stderr }: CommandFrame,
): Promise<number> {
  try {
    return await main(logger);
  } catch (error) {
    return reportFailure(error, logger, stderr);
  }
}

/** A logger whose lines are their messages alone, and whole where there is an error to look into. */
export function commandLogger(name: string, stderr: TextSink): Logger {
  const write = (line: string): void => {
    const { msg, err } = JSON.parse(line) as { msg: string; err?: unknown };
    stderr.write(err === undefined ? `${msg}\n` : line);
  };
  return createLogger({ name, level: 'warn' }, { write });
}

/** One line for what a user can change, all of it for anything else; returns the exit code. */
function reportFailure(error: unknown, logger: Logger, stderr: TextSink): number {
  if (error instanceof UserError || error instanceof ConfigError) stderr.write(`${error.message}\n`);
  else logger.fatal({ err: error }, 'unexpected failure');
  return 1;
}
