import type { EventEnvelope } from '../events/envelope';
import { findHeldBack } from './postponed/find';
import { orderOf } from './postponed/order';
import type { Transaction } from './transaction';

/**
 * - `new`: it is noted, and its effect is to follow in this transaction.
 * - `duplicate`: it was noted before, or is postponed, so that its effect is still to come.
 * - `behind`: it is noted, and an earlier event of its aggregate is postponed.
 */
export type Claim = 'new' | 'duplicate' | 'behind';

/**
 * Notes, in the transaction of its effect, that a consumer processes an event.
 * When another transaction has noted the same event and is still open, this waits for its end: one of the two goes on.
 */
export async function claimEvent(
  tx: Transaction,
  consumer: string,
  event: Pick<EventEnvelope, 'event_id' | 'metadata'>,
): Promise<Claim> {
  const { aggregateType, aggregateId, sequence } = orderOf(event.metadata);
  const [row] = await tx.$queryRaw<{ postponed: boolean; behind: boolean }[]>`
    INSERT INTO "signalbox"."inbox" ("consumer", "event_id") VALUES (${consumer}, ${event.event_id}::uuid)
    ON CONFLICT DO NOTHING
    RETURNING
      EXISTS (SELECT FROM "signalbox"."postponed_event" p
        WHERE p."consumer" = ${consumer} AND p."event_id" = ${event.event_id}::uuid) AS "postponed",
      EXISTS (SELECT FROM "signalbox"."postponed_event" p
        WHERE p."consumer" = ${consumer} AND p."aggregate_type" = ${aggregateType}
          AND p."aggregate_id" = ${aggregateId} AND p."sequence" <= ${sequence}::numeric) AS "behind"`;
  if (!row || row.postponed) return 'duplicate';
  return row.behind ? 'behind' : 'new';
}

/**
 * Says what a claim would say, and notes nothing. When a transaction that makes the inbox forget the event is still
 * open, this waits for its end.
 */
export async function lookUpEvent(
  tx: Transaction,
  consumer: string,
  event: Pick<EventEnvelope, 'event_id' | 'metadata'>,
): Promise<Claim> {
  const noted = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "signalbox"."inbox"
    WHERE "consumer" = ${consumer} AND "event_id" = ${event.event_id}::uuid FOR KEY SHARE`;
  if (noted.length > 0) return 'duplicate';
  const [heldBack] = await findHeldBack(tx, consumer, [event]);
  if (heldBack?.postponed) return 'duplicate';
  return heldBack?.behind ? 'behind' : 'new';
}

/** Notes that a consumer has processed an event, and when. */
export async function recordEvent(tx: Transaction, consumer: string, eventId: string): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "signalbox"."inbox" ("consumer", "event_id") VALUES (${consumer}, ${eventId}::uuid)
    ON CONFLICT ("consumer", "event_id") DO UPDATE SET "processed_at" = now()`;
}

/**
 * The same for several events in one statement; gives those that were not noted before, in lower case as Postgres
 * prints them. They are claimed in the order of their ids, so that two processes that claim the same events wait for
 * each other in one direction only and cannot deadlock.
 */
export async function claimEvents(
  tx: Transaction,
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
  tx: Transaction,
  consumer: string,
  eventIds: readonly string[],
): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM "signalbox"."inbox" WHERE "consumer" = ${consumer} AND "event_id" = ANY (${eventIds}::uuid[])`;
}
