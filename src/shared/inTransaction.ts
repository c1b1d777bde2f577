import type { ClientBase, Pool, PoolClient } from 'pg';

export interface TransactionOptions {
  /** False rolls back what `work` has done, to find out what it would do; true by default. */
  readonly commit?: boolean;
}

/**
 * Runs `work` in a transaction of a connection of the pool: commits when it resolves, rolls back when it rejects, and
 * rejects with what `work` threw even if the rollback fails, too.
 */
export async function inTransaction<T>(
  pool: Pool,
  work: (client: PoolClient) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  const client = await pool.connect();
  try {
    return await transactionOn(client, () => work(client), options);
  } finally {
    // If the transaction could not be ended, the pool drops the connection (connections/supervise.ts).
    client.release();
  }
}

/** The same on a connection that the caller has. */
export async function transactionOn<T>(
  client: ClientBase,
  work: () => Promise<T>,
  { commit = true }: TransactionOptions = {},
): Promise<T> {
  await client.query('BEGIN');
  try {
    const result = await work();
    const { command } = await client.query(commit ? 'COMMIT' : 'ROLLBACK');
    // The server answers so when a statement had failed, whose error `work` has swallowed.
    if (commit && command !== 'COMMIT')
      throw new Error('The transaction was rolled back instead of committed');
    return result;
  } catch (error) {
    // A connection that is gone has been rolled back by the server.
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}
