import { randomUUID } from 'node:crypto';
import { type Client, escapeIdentifier } from 'pg';
import { UserError } from '../lifecycle';
import type { Migration } from './readMigrations';

/*
 * The table in which Prisma Migrate remembers what it has applied. Names are qualified: a pooler may run each statement
 * in another session, so none may rest on a search path.
 */

const tableIn = (schema: string): string => `${escapeIdentifier(schema)}."_prisma_migrations"`;

interface Applied {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
}

export async function createBookkeeping(client: Client, schema: string): Promise<void> {
  await client.query(`CREATE TABLE IF NOT EXISTS ${tableIn(schema)} (
    id                  VARCHAR(36) PRIMARY KEY NOT NULL,
    checksum            VARCHAR(64) NOT NULL,
    finished_at         TIMESTAMPTZ,
    migration_name      VARCHAR(255) NOT NULL,
    logs                TEXT,
    rolled_back_at      TIMESTAMPTZ,
    started_at          TIMESTAMPTZ NOT NULL DEFAULT now(),
    applied_steps_count INTEGER NOT NULL DEFAULT 0
  )`);
}

export async function hasBookkeeping(client: Client, schema: string): Promise<boolean> {
  const { rows } = await client.query<{ exists: boolean }>('SELECT to_regclass($1) IS NOT NULL AS exists', [
    tableIn(schema),
  ]);
  return rows[0]?.exists === true;
}

/**
 * The migrations that the database lacks, in their order.
 * @throws UserError when an applied migration has changed since, an earlier one failed, or the database was made by other
 * migrations.
 */
export async function findPending(
  client: Client,
  schema: string,
  migrations: readonly Migration[],
): Promise<Migration[]> {
  const { rows } = await client.query<Applied>(
    `SELECT migration_name, checksum, finished_at FROM ${tableIn(schema)} WHERE rolled_back_at IS NULL`,
  );
  const byName = new Map(rows.map((row) => [row.migration_name, row]));
  refuseOtherHistory(migrations, byName);
  return migrations.filter((migration) => {
    const row = byName.get(migration.name);
    if (row) refuseUnfinishedOrChanged(migration, row);
    return !row;
  });
}

/** The database was made by other migrations. */
export class OtherHistoryError extends UserError {
  override readonly name = 'OtherHistoryError';
}

/** A database that has migrations, and none of these: the history was squashed, or it is the database of something else. */
function refuseOtherHistory(migrations: readonly Migration[], applied: ReadonlyMap<string, Applied>): void {
  const [first] = [...applied.keys()].sort();
  if (first === undefined || migrations.some(({ name }) => applied.has(name))) return;
  throw new OtherHistoryError(
    `This database was made by other migrations, the first being ${first}, and has none of these. Use an empty database.`,
  );
}

function refuseUnfinishedOrChanged({ name, checksum }: Migration, row: Applied): void {
  if (!row.finished_at) {
    throw new UserError(
      `The migration ${name} failed earlier and was undone as a whole. Remove the cause, then allow it again: npx prisma migrate resolve --rolled-back ${name}, or without internet: DELETE FROM _prisma_migrations WHERE migration_name = '${name}'.`,
    );
  }
  if (row.checksum !== checksum) {
    throw new UserError(
      `The migration ${name} was changed after it had been applied. Restore the file and add a new migration.`,
    );
  }
}

export async function recordApplied(
  client: Client,
  schema: string,
  { name, checksum }: Migration,
): Promise<void> {
  await client.query(
    `INSERT INTO ${tableIn(schema)} (id, checksum, migration_name, started_at, finished_at, applied_steps_count)
     VALUES ($1, $2, $3, now(), clock_timestamp(), 1)`,
    [randomUUID(), checksum, name],
  );
}

export async function recordFailure(
  client: Client,
  schema: string,
  { name, checksum }: Migration,
  logs: string,
): Promise<void> {
  await client.query(
    `INSERT INTO ${tableIn(schema)} (id, checksum, migration_name, logs) VALUES ($1, $2, $3, $4)`,
    [randomUUID(), checksum, name, logs],
  );
}
