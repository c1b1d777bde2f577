/**
 * `npm run events:migration`: writes the migration that brings the triggers in line with the catalogue, if one is
 * needed. Needs no database.
 */
import { existsSync } from 'node:fs';
import { Command } from 'commander';
import { catalogue } from '../../../healthcore/catalogue';
import { UserError } from '../../../shared/lifecycle';
import { type MigrationOptions, writeMigration } from './writeMigration';

/** Where Prisma looks for a schema: in one file, or in several in a folder. */
const standardSchema = (): string =>
  existsSync('prisma/schema.prisma') ? 'prisma/schema.prisma' : 'prisma/schema';

async function main(): Promise<void> {
  const program = new Command('events:migration')
    .description(
      'Writes the migration that brings the capture triggers in line with the catalogue of events.',
    )
    .option('--check', 'write nothing; exit 1 if a migration is missing', false)
    .option(
      '--repair',
      'write a migration that installs the triggers again, after somebody has changed them by hand',
      false,
    )
    .option('--schema <path>', 'the Prisma schema: its file, or the folder of its files', standardSchema())
    .option('--migrations <folder>', 'the folder of migrations', 'prisma/migrations')
    .parse();
  const { exitCode, message } = await writeMigration(catalogue.aggregates, program.opts<MigrationOptions>());
  (exitCode === 0 ? process.stdout : process.stderr).write(`${message}\n`);
  process.exitCode = exitCode;
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof UserError ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
});
