import { type Client, escapeIdentifier } from 'pg';
import { UserError } from '../lifecycle';
import { recordApplied } from './bookkeeping';
import { prismaMigrateLock } from './lock';
import type { Migration } from './readMigrations';

/** active_sql_transaction: CREATE INDEX CONCURRENTLY and its like refuse to run in a transaction. */
export function needsNoTransaction(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === '25001';
}

/**
 * Applies a migration of one statement that refuses to run in a transaction. Lock and search path then belong to the
 * session, so it must be ours alone.
 * @throws UserError when a pooler stands between us and the server
 */
export async function applyOutsideTransaction(
  client: Client,
  schema: string,
  migration: Migration,
): Promise<void> {
  if (!(await isDirect(client))) {
    throw new UserError(
      `The migration ${migration.name} can't run in a transaction, and this connection goes through a pooler. Run "npx signalbox migrate" once with the address of the server itself.`,
    );
  }
  await client.query('SELECT pg_advisory_lock($1)', [prismaMigrateLock]);
  try {
    await client.query(`SET search_path TO ${escapeIdentifier(schema)}`);
    await client.query(migration.sql);
    await recordApplied(client, schema, migration);
  } finally {
    // Fails only with the connection, and then the server has let go of both.
    await client.query('RESET search_path').catch(() => undefined);
    await client.query('SELECT pg_advisory_unlock($1)', [prismaMigrateLock]).catch(() => undefined);
  }
}

/** A pooler answers for many servers' processes, so it hands out process ids of its own. */
async function isDirect(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return rows[0]?.pid === (client as Client & { processID: number | null }).processID;
}
