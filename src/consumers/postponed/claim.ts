import { restoreMessage, type StoredMessage } from './message';
import type { ReceivedMessage } from '../../kafka/messages/readMessage';
import type { LaterEvents } from './putAside';
import type { Transaction } from '../transaction';

/** A postponed event that is this process's until its lease expires. */
export interface ClaimedEvent {
  readonly eventId: string;
  readonly message: ReceivedMessage;
  /** This attempt included. */
  readonly attempts: number;
  /** Attempts in a row before this one that failed, and that came to nothing through an outage. */
  readonly failures: number;
  readonly outages: number;
  /** Milliseconds since its first attempt, by the database's clock. */
  readonly triedForMs: number;
  readonly triedSince: Date;
  readonly errorClass: string | null;
  readonly reason: string | null;
  readonly givenUp: boolean;
}

export interface ClaimOptions {
  readonly consumer: string;
  readonly laterEvents: LaterEvents;
  readonly token: string;
  readonly leaseMs: number;
  readonly limit: number;
}

type Row = StoredMessage & Omit<ClaimedEvent, 'message'>;

/**
 * Takes events that are due, the longest due first, at most `limit`; with 'wait' only the earliest of each aggregate.
 * Time is the server's. A row that another process has locked is passed over, and one whose lease has expired is free.
 */
export async function claimDue(
  tx: Transaction,
  { consumer, laterEvents, token, leaseMs, limit }: ClaimOptions,
): Promise<ClaimedEvent[]> {
  const rows = await tx.$queryRaw<Row[]>`
    WITH due AS (
      SELECT p."event_id" FROM "signalbox"."postponed_event" p
      WHERE p."consumer" = ${consumer} AND p."due_at" <= now()
        AND (p."leased_until" IS NULL OR p."leased_until" <= now())
        AND (${laterEvents === 'pass'} OR NOT EXISTS (SELECT FROM "signalbox"."postponed_event" e
          WHERE e."consumer" = p."consumer" AND e."aggregate_type" = p."aggregate_type"
            AND e."aggregate_id" = p."aggregate_id"
            AND (e."sequence", e."arrival") < (p."sequence", p."arrival")))
      ORDER BY p."due_at" LIMIT ${limit}::int
      FOR UPDATE SKIP LOCKED
    )
    UPDATE "signalbox"."postponed_event" p
    SET "lease_token" = ${token}::uuid, "leased_until" = now() + ${leaseMs}::float8 * interval '1 millisecond',
      "attempts" = p."attempts" + 1, "tried_since" = coalesce(p."tried_since", now())
    FROM due WHERE p."consumer" = ${consumer} AND p."event_id" = due."event_id"
    RETURNING p."event_id"::text AS "eventId", p."topic", p."partition", p."offset"::text AS "offset",
      p."timestamp_ms"::text AS "timestampMs", p."key", p."value", p."headers", p."attempts", p."failures",
      p."outages", extract(epoch FROM now() - p."tried_since")::float8 * 1000 AS "triedForMs",
      p."tried_since" AS "triedSince", p."error_class" AS "errorClass", p."reason", p."given_up" AS "givenUp"`;
  return rows.map((row) => ({ ...row, message: restoreMessage(row) }));
}
