import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { Client } from 'pg';
import { UserError } from '../lifecycle';
import type { Logger } from '../logger';

/*
 * Applies prisma/migrations with the bookkeeping that Prisma Migrate keeps, so that `prisma migrate deploy` and
 * `prisma migrate status` find everything in order. It exists because Prisma's own command has to download an
 * engine first, which neither a container without internet nor `npm start` can do.
 *
 * One advisory lock lets only one starter migrate at a time; it is the lock that Prisma Migrate takes, so the two
 * exclude each other too. Each migration runs in one implicit transaction (a multi-statement simple query), like
 * Prisma's; one that fails is recorded and blocks later runs until somebody has looked at it, as with Prisma.
 */

const PRISMA_MIGRATE_LOCK = 72707369;

export interface MigrateOptions {
  databaseUrl: string;
  /** The folder that holds one folder for each migration. */
  directory: string;
  logger: Logger;
}

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

interface Applied {
  migration_name: string;
  checksum: string;
  finished_at: Date | null;
  rolled_back_at: Date | null;
}

/**
 * Applies every migration that the database has not seen, in the order of their names.
 * @throws UserError when an applied migration has changed since, or an earlier one failed half-way.
 */
export async function migrate({
  databaseUrl,
  directory,
  logger,
}: MigrateOptions): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(directory);
  const client = await connect(databaseUrl);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [PRISMA_MIGRATE_LOCK]);
    await createBookkeeping(client);
    const pending = await findPending(client, migrations);
    for (const migration of pending) {
      await apply(client, migration);
      logger.info({ migration: migration.name }, 'migration applied');
    }
    return { applied: pending.map((migration) => migration.name) };
  } finally {
    await client.end();
  }
}

/** Names of the migrations that the database still lacks; for readiness and diagnosis. */
export async function pendingMigrations(options: Omit<MigrateOptions, 'logger'>): Promise<string[]> {
  const migrations = await readMigrations(options.directory);
  const client = await connect(options.databaseUrl);
  try {
    const known = await client.query<{ exists: boolean }>(
      `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS exists`,
    );
    if (!known.rows[0]?.exists) return migrations.map((migration) => migration.name);
    return (await findPending(client, migrations)).map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

/**
 * The schema is `public`, as for Prisma, whatever the role's search path says. By default that begins with the schema
 * named after the role: with a role called "signalbox" the schema that our own migrations create would take over.
 */
async function connect(databaseUrl: string): Promise<Client> {
  const client = new Client({ connectionString: databaseUrl, application_name: 'signalbox-migrate' });
  try {
    await client.connect();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    throw new UserError(
      `The database at ${client.host}:${client.port} can't be used: ${message || code}. Is it running, and is DATABASE_URL right?`,
      { cause: error },
    );
  }
  await client.query('SET search_path TO public');
  return client;
}

async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(path.join(directory, name, 'migration.sql'), 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

async function createBookkeeping(client: Client): Promise<void> {
  await client.query(`CREATE TABLE IF NOT EXISTS _prisma_migrations (
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

async function findPending(client: Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const { rows } = await client.query<Applied>(
    'SELECT migration_name, checksum, finished_at, rolled_back_at FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  const byName = new Map(rows.map((row) => [row.migration_name, row]));
  return migrations.filter((migration) => {
    const row = byName.get(migration.name);
    if (!row) return true;
    if (!row.finished_at) {
      throw new UserError(
        `The migration ${migration.name} failed earlier and was undone as a whole. Remove the cause, then allow it again: npx prisma migrate resolve --rolled-back ${migration.name}, or without internet: DELETE FROM _prisma_migrations WHERE migration_name = '${migration.name}'.`,
      );
    }
    if (row.checksum !== migration.checksum) {
      throw new UserError(
        `The migration ${migration.name} was changed after it had been applied. Restore the file and add a new migration.`,
      );
    }
    return false;
  });
}

async function apply(client: Client, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  await client.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)', [
    id,
    checksum,
    name,
  ]);
  try {
    await client.query(sql);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    await client.query('UPDATE _prisma_migrations SET logs = $2 WHERE id = $1', [id, why]);
    throw new UserError(`The migration ${name} failed: ${why}`, { cause: error });
  }
  await client.query(
    'UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1',
    [id],
  );
}
