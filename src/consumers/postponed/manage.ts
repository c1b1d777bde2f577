import type { ClientBase } from 'pg';

/** A postponed event, for an operator: nothing of its data. */
export interface PostponedEvent {
  readonly consumer: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly sequence: string;
  readonly attempts: number;
  readonly postponedAt: Date;
  /** Null when it waits for an earlier event of its aggregate. */
  readonly dueAt: Date | null;
  readonly errorClass: string | null;
  readonly reason: string | null;
  /** It waits for its dead letter to be written. */
  readonly givenUp: boolean;
  /** A process is working on it. */
  readonly inHand: boolean;
}

/** Which postponed events are meant; what is not given limits nothing. */
export interface PostponedSelection {
  readonly eventIds?: readonly string[];
  readonly consumer?: string | undefined;
  readonly eventType?: string | undefined;
}

const selected = `($1::uuid[] IS NULL OR p."event_id" = ANY ($1)) AND ($2::text IS NULL OR p."consumer" = $2)
    AND ($3::text IS NULL OR p."event_type" = $3)`;

const columns = `p."consumer", p."event_id"::text AS "eventId", p."event_type" AS "eventType",
    p."aggregate_type" AS "aggregateType", p."aggregate_id" AS "aggregateId", p."sequence"::text,
    p."attempts", p."postponed_at" AS "postponedAt", nullif(p."due_at", 'infinity') AS "dueAt", p."error_class" AS "errorClass",
    p."reason", p."given_up" AS "givenUp", coalesce(p."leased_until" > now(), false) AS "inHand"`;

const statements = {
  list: `SELECT ${columns} FROM "signalbox"."postponed_event" p WHERE ${selected}
    ORDER BY p."consumer", p."due_at", p."sequence", p."arrival"`,
  retry: `UPDATE "signalbox"."postponed_event" p SET "due_at" = least(p."due_at", now())
    WHERE ${selected} AND p."due_at" < 'infinity' RETURNING ${columns}`,
  discard: `DELETE FROM "signalbox"."postponed_event" p WHERE ${selected} RETURNING ${columns}`,
};

/**
 * Lists postponed events, makes them due (but for those that wait for an earlier one), or gives them up; resolves to those
 * that it was done to.
 */
export async function postponedEvents(
  database: Pick<ClientBase, 'query'>,
  action: keyof typeof statements,
  { eventIds, consumer, eventType }: PostponedSelection,
): Promise<PostponedEvent[]> {
  const values = [eventIds ?? null, consumer ?? null, eventType ?? null];
  const { rows } = await database.query<PostponedEvent>(statements[action], values);
  return rows;
}
