/** `npm run migrate`: brings the database of DATABASE_URL up to date and ends; what a container runs before the others. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { loadConfig } from '../config/load';
import { commonVariables } from '../config/variables';
import { UserError } from '../lifecycle';
import type { Logger } from '../logger';
import { runProgram } from '../program';
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

/** Beside the project, whether this runs from src/ or compiled from dist/, and from whichever directory. */
function findMigrations(): string {
  for (let above = __dirname; ; above = path.dirname(above)) {
    const directory = path.join(above, 'prisma', 'migrations');
    if (existsSync(directory)) return directory;
    if (above === path.dirname(above)) {
      throw new UserError('There is no folder prisma/migrations above this program. Is the copy complete?');
    }
  }
}

void runProgram('migrate', process.env, main);
