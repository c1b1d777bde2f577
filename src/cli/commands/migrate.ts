import { Command } from 'commander';
import { loadConfig } from '../../shared/config/load';
import { commonVariables } from '../../shared/config/variables';
import { migrate } from '../../shared/migrate/migrate';
import type { Frame } from '../frame';

const { DATABASE_URL } = commonVariables;

/** `signalbox migrate`: what a container runs before the other programs. */
export function migrateCommand(frame: Frame): Command {
  return new Command('migrate')
    .description(
      'Applies the migrations that the database of DATABASE_URL lacks and ends. It keeps the books of "prisma migrate deploy", and needs no engine of Prisma\'s.',
    )
    .allowExcessArguments(false)
    .action(() =>
      frame.serve('migrate', async (logger, { migrations: directory, environment }) => {
        const { DATABASE_URL: databaseUrl } = loadConfig({ DATABASE_URL }, environment);
        const { applied } = await migrate({ databaseUrl, directory, logger });
        logger.info({ applied: applied.length }, 'the database is up to date');
        return 0;
      }),
    );
}
