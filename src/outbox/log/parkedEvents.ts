import type { Queryable } from './openBatch';

/** A parked event, for an operator. */
export interface ParkedEvent {
  readonly lane: number;
  readonly position: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly reason: string;
  readonly detail: string;
  readonly attempts: number;
  readonly parkedAt: Date;
  readonly lastAttemptAt: Date;
  /** Later events of its aggregate that are held back. */
  readonly behind: number;
}

/** Which parked events are meant; what is not given limits nothing. */
export interface ParkedSelection {
  /** Any of these ids or positions. */
  readonly refs?: { readonly eventIds: readonly string[]; readonly positions: readonly string[] };
  readonly reason?: string;
  readonly eventType?: string;
}

const selected = `p.state = 'parked'
    AND ($1::uuid[] IS NULL OR p.event_id = ANY ($1) OR p.position = ANY ($2::bigint[]))
    AND ($3::text IS NULL OR p.reason = $3) AND ($4::text IS NULL OR p.event_type = $4)`;

const columns = `p.lane, p.position::text, p.event_id AS "eventId", p.event_type AS "eventType",
    p.aggregate_type AS "aggregateType", p.aggregate_id AS "aggregateId", p.reason, p.detail, p.attempts,
    p.parked_at AS "parkedAt", p.last_attempt_at AS "lastAttemptAt",
    (SELECT count(*) FROM signalbox.parked_event h WHERE h.aggregate_type = p.aggregate_type
      AND h.aggregate_id = p.aggregate_id AND h.position > p.position AND h.state = 'held')::int AS behind`;

const statements = {
  list: `SELECT ${columns} FROM signalbox.parked_event p WHERE ${selected} ORDER BY p.parked_at, p.position`,
  /* The relay that owns the lane publishes what is held and has nothing before it: src/relay/releaseHeld.ts. */
  retry: `UPDATE signalbox.parked_event p SET state = 'held' WHERE ${selected} RETURNING ${columns}`,
  discard: `DELETE FROM signalbox.parked_event p WHERE ${selected} RETURNING ${columns}`,
};

/** Lists parked events, lets them be tried again, or gives them up; resolves to those that it was done to. */
export async function parkedEvents(
  database: Queryable,
  action: keyof typeof statements,
  { refs, reason, eventType }: ParkedSelection,
): Promise<ParkedEvent[]> {
  const { rows } = await database.query<ParkedEvent>(statements[action], [
    refs?.eventIds ?? null,
    refs?.positions ?? null,
    reason ?? null,
    eventType ?? null,
  ]);
  return rows;
}

/** Events that only wait for their topic. */
export interface WaitingForTopic {
  readonly eventType: string;
  readonly reason: 'topic_missing' | 'topic_refused' | 'topic_unavailable';
  /** What Kafka said last, in a sentence. */
  readonly detail: string;
  readonly events: number;
  readonly since: Date;
}

/** The state of the topic that events with this reason wait for. */
export function stateOf(reason: WaitingForTopic['reason']): 'missing' | 'refused' | 'unavailable' {
  return ({ topic_missing: 'missing', topic_refused: 'refused', topic_unavailable: 'unavailable' } as const)[
    reason
  ];
}

/** What waits for topics, by event type. */
export async function readWaitingForTopic(database: Queryable): Promise<WaitingForTopic[]> {
  const { rows } = await database.query<WaitingForTopic>(
    `SELECT DISTINCT ON (event_type) event_type AS "eventType", reason, detail,
       (count(*) OVER whole)::int AS events, min(parked_at) OVER whole AS since
     FROM signalbox.parked_event WHERE state = 'held' AND reason LIKE 'topic\\_%'
     WINDOW whole AS (PARTITION BY event_type) ORDER BY event_type, last_attempt_at DESC`,
  );
  return rows;
}
