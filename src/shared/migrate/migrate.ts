import { type Client, escapeIdentifier } from 'pg';
import { describeDatabase, parseDatabaseUrl } from '../connections/databaseUrl';
import { createConnection } from '../database';
import { transactionOn } from '../inTransaction';
import { UserError } from '../lifecycle';
import type { Logger } from '../logger';
import { createBookkeeping, findPending, hasBookkeeping, recordApplied, recordFailure } from './bookkeeping';
import { setLeftoversAside } from './leftovers';
import { prismaMigrateLock } from './lock';
import { type Migration, readMigrations } from './readMigrations';
import { applyOutsideTransaction, needsNoTransaction } from './withoutTransaction';

/*
 * Applies prisma/migrations with the bookkeeping that Prisma Migrate keeps, so that `prisma migrate deploy` and
 * `prisma migrate status` find everything in order. It exists because Prisma's own command has to download an
 * engine first, which neither a container without internet nor `npm start` can do.
 *
 * Each migration and its bookkeeping are one transaction: a crash leaves nothing of it. One that fails is recorded and
 * blocks later runs until an operator has looked at it, as with Prisma.
 *
 * An advisory lock lets only one starter migrate at a time; it is the lock that Prisma Migrate takes, so the two
 * exclude each other too. Lock and search path belong to the transaction, not to the session: a pooler such as PgBouncer
 * gives a session to another client after each transaction, together with what was set in it.
 */

export interface MigrateOptions {
  /** Its parameter `schema` names the schema of the models; `public` by default. */
  databaseUrl: string;
  /** The folder that holds one folder for each migration. */
  directory: string;
  logger: Logger;
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
  const schema = schemaOf(databaseUrl);
  const client = await connect(databaseUrl);
  const applied: string[] = [];
  try {
    await prepare(client, schema, migrations, logger);
    for (;;) {
      const name = await applyNext(client, schema, migrations);
      if (name === undefined) return { applied };
      logger.info({ migration: name }, 'migration applied');
      applied.push(name);
    }
  } finally {
    await client.end();
  }
}

/** Names of the migrations that the database still lacks; for readiness and diagnosis. */
export async function pendingMigrations(options: Omit<MigrateOptions, 'logger'>): Promise<string[]> {
  const migrations = await readMigrations(options.directory);
  const schema = schemaOf(options.databaseUrl);
  const client = await connect(options.databaseUrl);
  try {
    const pending = (await hasBookkeeping(client, schema))
      ? await findPending(client, schema, migrations)
      : migrations;
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

const schemaOf = (databaseUrl: string): string => parseDatabaseUrl(databaseUrl).parameters.schema ?? 'public';

async function connect(databaseUrl: string): Promise<Client> {
  const client = createConnection({ databaseUrl, applicationName: 'signalbox-migrate' });
  try {
    await client.connect();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code, message } = error as { code?: string; message: string };
    throw new UserError(
      `The database at ${describeDatabase(databaseUrl)} can't be used: ${message || code}. Is it running, and is DATABASE_URL right?`,
      { cause: error },
    );
  }
  return client;
}

async function prepare(
  client: Client,
  schema: string,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  await locked(client, schema, async () => {
    if (await hasBookkeeping(client, schema)) return;
    await setLeftoversAside(client, schema, migrations, logger);
    // Not "IF NOT EXISTS", which wants the right to create schemas even if it is there.
    const { rowCount } = await client.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema]);
    if (rowCount === 0) await client.query(`CREATE SCHEMA ${escapeIdentifier(schema)}`);
    await createBookkeeping(client, schema);
  });
}

/** Applies the first migration that is pending and returns its name; undefined when none is. */
async function applyNext(
  client: Client,
  schema: string,
  migrations: readonly Migration[],
): Promise<string | undefined> {
  let next: Migration | undefined;
  try {
    await locked(client, schema, async () => {
      const [pending] = await findPending(client, schema, migrations);
      if (!pending) return;
      next = pending;
      await client.query(pending.sql);
      await recordApplied(client, schema, pending);
    });
    return next?.name;
  } catch (error) {
    if (!next) throw error;
    const failure = needsNoTransaction(error)
      ? await applyOutsideTransaction(client, schema, next).then(() => undefined, asError)
      : asError(error);
    if (failure) return fail(client, schema, next, failure);
    return next.name;
  }
}

/**
 * The schema is that of the models, whatever the role's search path says. By default that begins with the schema named
 * after the role: with a role called "signalbox" the schema that our own migrations create would take over.
 */
function locked<T>(client: Client, schema: string, work: () => Promise<T>): Promise<T> {
  return transactionOn(client, async () => {
    // The role's limits hold for the migration, not for waiting until another starter has migrated.
    await client.query('SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0');
    await client.query('SELECT pg_advisory_xact_lock($1)', [prismaMigrateLock]);
    await client.query('SET LOCAL lock_timeout TO DEFAULT; SET LOCAL statement_timeout TO DEFAULT');
    await client.query(`SET LOCAL search_path TO ${escapeIdentifier(schema)}`);
    return work();
  });
}

/** Records the failure, if the database can be reached, and throws it. */
async function fail(client: Client, schema: string, migration: Migration, cause: Error): Promise<never> {
  if (cause instanceof UserError) throw cause;
  const unrecorded = await recordFailure(client, schema, migration, cause.message).then(
    () => '',
    () => ' It could not be recorded, so the next run will try it again.',
  );
  throw new UserError(`The migration ${migration.name} failed: ${cause.message}.${unrecorded}`, { cause });
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
