import type { Prisma } from '../generated/prisma/client';

/**
 * Notes, in the transaction of its effect, that a consumer processes an event; false when it has done so before.
 * When another transaction has noted the same event and is still open, this waits for its end: one of the two goes on.
 */
export async function claimEvent(
  tx: Prisma.TransactionClient,
  consumer: string,
  eventId: string,
): Promise<boolean> {
  const inserted = await tx.$executeRaw`
    INSERT INTO "signalbox"."inbox" ("consumer", "event_id") VALUES (${consumer}, ${eventId}::uuid)
    ON CONFLICT DO NOTHING`;
  return inserted === 1;
}

/**
 * The same for several events in one statement; gives those that were not noted before, in lower case as Postgres
 * prints them. They are claimed in the order of their ids, so that two processes that claim the same events wait for
 * each other in one direction only and cannot deadlock.
 */
export async function claimEvents(
  tx: Prisma.TransactionClient,
  consumer: string,
  eventIds: readonly string[],
): Promise<Set<string>> {
  const sorted = [...new Set(eventIds)].sort();
  const claimed = await tx.$queryRaw<{ event_id: string }[]>`
    INSERT INTO "signalbox"."inbox" ("consumer", "event_id") SELECT ${consumer}, unnest(${sorted}::uuid[])
    ON CONFLICT DO NOTHING RETURNING "event_id"::text`;
  return new Set(claimed.map((row) => row.event_id));
}

/** Takes back claims of the same transaction whose events were not handled after all. */
export async function releaseEvents(
  tx: Prisma.TransactionClient,
  consumer: string,
  eventIds: readonly string[],
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM "signalbox"."inbox" WHERE "consumer" = ${consumer} AND "event_id" = ANY (${eventIds}::uuid[])`;
}
