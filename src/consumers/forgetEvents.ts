import type { ClientBase } from 'pg';

/** How many of the events a consumer's inbox knows: a redelivery of those has no effect. */
export async function countProcessed(
  database: Pick<ClientBase, 'query'>,
  consumer: string,
  eventIds: readonly string[],
): Promise<number> {
  const { rows } = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM "signalbox"."inbox" WHERE "consumer" = $1 AND "event_id" = ANY ($2::uuid[])`,
    [consumer, eventIds],
  );
  return rows[0]?.count ?? 0;
}

/**
 * Makes a consumer's inbox forget events, so that their next delivery has its effect again; gives how many it knew.
 * Only for an operator who wants just that. A delivery in the meantime waits for the end of this transaction.
 */
export async function forgetEvents(
  database: Pick<ClientBase, 'query'>,
  consumer: string,
  eventIds: readonly string[],
): Promise<number> {
  const { rowCount } = await database.query(
    `DELETE FROM "signalbox"."inbox" WHERE "consumer" = $1 AND "event_id" = ANY ($2::uuid[])`,
    [consumer, eventIds],
  );
  return rowCount ?? 0;
}
