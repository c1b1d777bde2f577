import { existsSync } from 'node:fs';
import { ConfigError, type Environment, unknownVariables } from './config/load';
import { UserError } from './lifecycle';
import { createLogger, type Logger } from './logger';

/**
 * The frame of a command for people and scripts, as program.ts is that of a server: standard output is for the result
 * alone, and what goes wrong is told on standard error, one line for what a user can mend.
 */
export async function runCommand(
  name: string,
  environment: Environment,
  main: (logger: Logger) => Promise<number>,
): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const logger = createLogger({ name, level: 'warn' }, { write: tell });
  const fail = (error: unknown): never => {
    if (error instanceof UserError || error instanceof ConfigError)
      process.stderr.write(`${error.message}\n`);
    else logger.fatal({ err: error }, 'unexpected failure');
    process.exit(1);
  };
  // Whoever read the result has seen enough (`| head -1`).
  process.stdout.on('error', () => process.exit(0));
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  for (const variable of unknownVariables(environment)) {
    logger.warn(`${variable} is set but not known; is it misspelt?`);
  }
  const code = await main(logger).catch(fail);
  // What is still on its way into a pipe must get there.
  process.stdout.write('', () => process.exit(code));
}

/** A line of the log: its message, and all of it where there is an error to look into. */
function tell(line: string): void {
  const { msg, err } = JSON.parse(line) as { msg: string; err?: unknown };
  process.stderr.write(err === undefined ? `${msg}\n` : line);
}
