import path from 'node:path';
import { Command } from 'commander';
import { writeMigration } from '../../outbox/prisma/trigger/writeMigration';
import type { Frame } from '../frame';

interface Options {
  readonly check: boolean;
  readonly repair: boolean;
  readonly schema?: string;
  readonly migrations?: string;
}

/** `signalbox sync`. */
export function syncCommand(frame: Frame): Command {
  return new Command('sync')
    .description(
      'Writes the migration that brings the capture triggers in line with the catalogue of events.',
    )
    .option('--check', 'write nothing; exit 1 if a migration is missing', false)
    .option('--repair', 'write a migration that installs the triggers again, after a change by hand', false)
    .option('--schema <path>', 'the Prisma schema: its file, or the folder of its files')
    .option('--migrations <folder>', 'the folder of migrations')
    .action(({ check, repair, schema, migrations }: Options) =>
      frame.run('sync', async (_, project) => {
        const shown = (file: string): string => path.relative(frame.directory, file);
        const { exitCode, message } = await writeMigration(project.config.catalogue.aggregates, {
          schema: schema ?? shown(project.schema),
          migrations: migrations ?? shown(project.migrations),
          check,
          repair,
        });
        (exitCode === 0 ? frame.stdout : frame.stderr).write(`${message}\n`);
        return exitCode;
      }),
    );
}
