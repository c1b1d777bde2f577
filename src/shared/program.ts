import { existsSync } from 'node:fs';
import type { Environment } from './config/load';
import { reportFailure } from './lifecycle';
import { createLogger, type Logger } from './logger';
import { commonVariables } from './config/variables';

/**
 * The frame of a server: reads `.env` if there is one, runs `main` and exits with its code. What a user can mend (ConfigError, UserError) ends in one line; anything else is logged
 * with its stack. An error that nobody caught ends the process: its state can no longer be trusted.
 */
export async function runProgram(
  name: string,
  environment: Environment,
  main: (logger: Logger) => Promise<number>,
): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  // A level that is none is reported with all other problems of the configuration, by then through this logger.
  const level = commonVariables.LOG_LEVEL.catch('info').parse(environment['LOG_LEVEL'] || undefined);
  const logger = createLogger({ name, level });
  const fail = (error: unknown): never => {
    reportFailure(logger, error);
    process.exit(1);
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  process.exitCode = await main(logger).catch(fail);
  // Whatever still holds the event loop open (a client deep in a retry, say) has had its time to stop.
  process.exit();
}
