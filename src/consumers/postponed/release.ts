import type { Transaction } from '../transaction';
/*
 * Events that wait for an earlier one of their aggregate have no time of their own (due_at is infinity), so that looking
 * for what is due does not visit them, however many there are.
 */

export interface AggregateRef {
  readonly aggregateType: string;
  readonly aggregateId: string;
}

/** Makes the next event of an aggregate due, in the transaction that has removed the one before it. */
export async function releaseNext(
  tx: Transaction,
  consumer: string,
  { aggregateType, aggregateId }: AggregateRef,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE "signalbox"."postponed_event" SET "due_at" = now()
    WHERE "consumer" = ${consumer} AND "due_at" = 'infinity' AND "event_id" = (
      SELECT "event_id" FROM "signalbox"."postponed_event"
      WHERE "consumer" = ${consumer} AND "aggregate_type" = ${aggregateType} AND "aggregate_id" = ${aggregateId}
      ORDER BY "sequence", "arrival" LIMIT 1)`;
}

/**
 * Makes the events due that wait for nothing any more, and returns how many: an operator has discarded the one before
 * them, or it was removed in the moment in which they were put aside behind it.
 */
export async function releaseForgotten(tx: Transaction, consumer: string): Promise<number> {
  return tx.$executeRaw`
    UPDATE "signalbox"."postponed_event" p SET "due_at" = now()
    FROM (
      SELECT DISTINCT ON ("aggregate_type", "aggregate_id") "event_id", "due_at"
      FROM "signalbox"."postponed_event" WHERE "consumer" = ${consumer}
      ORDER BY "aggregate_type", "aggregate_id", "sequence", "arrival"
    ) AS first
    WHERE p."consumer" = ${consumer} AND p."event_id" = first."event_id" AND first."due_at" = 'infinity'
      AND p."due_at" = 'infinity'`;
}
