import type { EventEnvelope } from '../../events/envelope';
import { orderOf } from './order';
import type { Transaction } from '../transaction';

/** An event that is not simply new to a consumer. */
export interface HeldBack {
  /** In lower case, as Postgres prints it. */
  readonly eventId: string;
  /** The event itself is postponed. */
  readonly postponed: boolean;
  /** An earlier event of its aggregate is. */
  readonly behind: boolean;
}

/** Which of the events are postponed, or come after a postponed one of their aggregate. */
export async function findHeldBack(
  tx: Transaction,
  consumer: string,
  events: readonly Pick<EventEnvelope, 'event_id' | 'metadata'>[],
): Promise<HeldBack[]> {
  const orders = events.map(({ metadata }) => orderOf(metadata));
  const found = await tx.$queryRaw<HeldBack[]>`
    SELECT e."event_id"::text AS "eventId",
      EXISTS (SELECT FROM "signalbox"."postponed_event" p
        WHERE p."consumer" = ${consumer} AND p."event_id" = e."event_id") AS "postponed",
      EXISTS (SELECT FROM "signalbox"."postponed_event" p
        WHERE p."consumer" = ${consumer} AND p."aggregate_type" = e."aggregate_type"
          AND p."aggregate_id" = e."aggregate_id" AND p."sequence" <= e."sequence") AS "behind"
    FROM unnest(${events.map(({ event_id }) => event_id)}::uuid[],
      ${orders.map(({ aggregateType }) => aggregateType)}::text[],
      ${orders.map(({ aggregateId }) => aggregateId)}::text[],
      ${orders.map(({ sequence }) => sequence)}::numeric[])
      AS e ("event_id", "aggregate_type", "aggregate_id", "sequence")
    WHERE EXISTS (SELECT FROM "signalbox"."postponed_event" p WHERE p."consumer" = ${consumer})`;
  return found.filter(({ postponed, behind }) => postponed || behind);
}
