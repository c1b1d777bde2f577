/* What becomes of a postponed event's row. All of it is fenced: a process whose lease another one has taken changes nothing. */
import type { Failure } from '../failurePolicy';
import type { AggregateRef } from './release';
import type { Transaction } from '../transaction';

export interface Held {
  readonly consumer: string;
  readonly eventId: string;
  readonly token: string;
}

/** Deletes the row and returns its aggregate, whose next event is to be released; undefined when it is not ours any more. */
export async function removePostponed(
  tx: Transaction,
  { consumer, eventId, token }: Held,
): Promise<AggregateRef | undefined> {
  const [aggregate] = await tx.$queryRaw<AggregateRef[]>`
    DELETE FROM "signalbox"."postponed_event"
    WHERE "consumer" = ${consumer} AND "event_id" = ${eventId}::uuid AND "lease_token" = ${token}::uuid
    RETURNING "aggregate_type" AS "aggregateType", "aggregate_id" AS "aggregateId"`;
  return aggregate;
}

/** Whether the row is still ours; it stays so until the transaction ends. */
export async function stillHeld(tx: Transaction, { consumer, eventId, token }: Held): Promise<boolean> {
  const rows = await tx.$queryRaw<unknown[]>`
    SELECT 1 FROM "signalbox"."postponed_event"
    WHERE "consumer" = ${consumer} AND "event_id" = ${eventId}::uuid AND "lease_token" = ${token}::uuid
    FOR UPDATE`;
  return rows.length === 1;
}

export interface Reschedule {
  readonly failure: Failure;
  readonly afterMs: number;
  readonly failures: number;
  readonly outages: number;
  readonly givenUp: boolean;
}

/** Ends the lease and says when the event is tried again, or its dead letter written. */
export async function reschedule(
  tx: Transaction,
  { consumer, eventId, token }: Held,
  { failure: { errorClass, reason }, afterMs, failures, outages, givenUp }: Reschedule,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE "signalbox"."postponed_event"
    SET "due_at" = now() + ${afterMs}::float8 * interval '1 millisecond', "lease_token" = NULL, "leased_until" = NULL,
      "failures" = ${failures}::int, "outages" = ${outages}::int, "given_up" = ${givenUp},
      "error_class" = ${errorClass}, "reason" = ${reason}
    WHERE "consumer" = ${consumer} AND "event_id" = ${eventId}::uuid AND "lease_token" = ${token}::uuid`;
}

/** Notes that the event is to become a dead letter, which outlives this process. The lease stays. */
export async function markGivenUp(
  tx: Transaction,
  { consumer, eventId, token }: Held,
  { errorClass, reason }: Failure,
): Promise<boolean> {
  const marked = await tx.$executeRaw`
    UPDATE "signalbox"."postponed_event"
    SET "given_up" = true, "error_class" = ${errorClass}, "reason" = ${reason}
    WHERE "consumer" = ${consumer} AND "event_id" = ${eventId}::uuid AND "lease_token" = ${token}::uuid`;
  return marked === 1;
}
