import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Aggregate } from '../../../events/aggregate';
import { UserError } from '../../../shared/lifecycle';
import { readSchemaFiles } from '../schema/files';
import { type Generated, generate } from '../captureSql/generate';
import { readOwnSql } from '../../sql/files';
import { isUpToDate, nextMigration } from './migration';
import { readMigrations } from '../../../shared/migrate/readMigrations';
import { readTables } from '../schema/tables';

export interface MigrationOptions {
  /** The Prisma schema: its file, or the folder of its files. */
  readonly schema: string;
  /** The folder that holds one folder for each migration. */
  readonly migrations: string;
  readonly check: boolean;
  /** Write one that installs the triggers again, whatever the earlier ones say. */
  readonly repair?: boolean;
}

/** Returns the exit code and what to say. @throws UserError for what a user can mend. */
export async function writeMigration(
  catalogue: readonly Aggregate[],
  { schema, migrations: folder, check, repair = false }: MigrationOptions,
): Promise<{ exitCode: number; message: string }> {
  const wanted = { own: await readOwnSql(), generated: await generateFrom(catalogue, schema) };
  // A project that has not migrated yet has no folder.
  const migrations = existsSync(folder) ? await readMigrations(folder) : [];
  if (check && repair) throw new UserError('--check writes nothing and --repair writes: choose one of them.');
  if (!repair && isUpToDate(migrations, wanted))
    return {
      exitCode: 0,
      message: 'Nothing to do: the migrations produce the outbox and the triggers of the catalogue.',
    };
  if (check) {
    const message =
      'The migrations do not produce the outbox and the triggers of the catalogue. Run "npx signalbox sync" and commit what it writes.';
    return { exitCode: 1, message };
  }
  const { name, sql } = nextMigration(migrations, wanted, new Date(), repair);
  await mkdir(path.join(folder, name), { recursive: true });
  await writeFile(path.join(folder, name, 'migration.sql'), sql, { flag: 'wx' });
  return {
    exitCode: 0,
    message: `Wrote ${path.join(folder, name, 'migration.sql')}. Apply it with "npx signalbox migrate".`,
  };
}

async function generateFrom(catalogue: readonly Aggregate[], schema: string): Promise<Generated> {
  const text = await readSchemaFiles(schema);
  try {
    return generate(catalogue, readTables(text));
  } catch (error) {
    throw new UserError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}
