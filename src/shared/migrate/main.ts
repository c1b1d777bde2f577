/** `npm run migrate`: brings the database of DATABASE_URL up to date and ends; what a container runs before the others. */
import { loadConfig } from '../config/load';
import { commonVariables } from '../config/variables';
import type { Logger } from '../logger';
import { runProgram } from '../program';
import { findMigrations } from './findMigrations';
import { migrate } from './migrate';

const { DATABASE_URL } = commonVariables;

async function main(logger: Logger): Promise<number> {
  const config = loadConfig({ DATABASE_URL }, process.env);
  const { applied } = await migrate({
    databaseUrl: config.DATABASE_URL,
    directory: findMigrations(),
    logger,
  });
  logger.info({ applied: applied.length }, 'the database is up to date');
  return 0;
}

void runProgram('migrate', process.env, main);
