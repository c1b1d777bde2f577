import { randomUUID } from 'node:crypto';
import { contextValue, type EventContext } from './context';
import type { MappedEvent } from './mapping';

/*
 * The only INSERTs into the outbox. They must run in the transaction of the change that the events tell of, and after it:
 * the change holds the row's lock, so that two changes of one aggregate draw their positions in the order in which
 * they commit (see src/outbox/log).
 */

/** Runs one statement with its parameters in the caller's transaction: a Prisma transaction client's, or pg's. */
export type Execute = (sql: string, parameters: readonly unknown[]) => Promise<unknown>;

export interface Envelope {
  /** `metadata.source`. */
  readonly source: string;
  readonly context: EventContext;
}

/** Rows per statement: enough to make round trips cheap, few enough that the next can be prepared meanwhile. */
const chunkSize = 1_000;

const into = `INSERT INTO signalbox.outbox (lane, event_id, event_type, event_version, aggregate_type, aggregate_id,
  source, correlation_id, causation_id, actor, traceparent, data)`;

/** What all events of a statement share. A program without a name has that of its connection, as with the triggers. */
const shared = `coalesce($2::text, nullif(current_setting('application_name'), ''), 'database'),
  $3::text, $4::text, $5::text, $6::text`;

/** Most writes mean one event; for that one Postgres needs half the time of the statement for many. */
const insertOne = `${into}
VALUES (signalbox.lane_of($11), $7::uuid, $8, $9, $10, $11, ${shared}, $1::json)`;

/**
 * ROWS FROM … WITH ORDINALITY numbers the events; ORDER BY makes the default of "position", the sequence's next value,
 * be drawn in that order. One JSON text carries all of them, so that the number of parameters never limits a batch.
 */
const insertMany = `${into}
SELECT signalbox.lane_of(e.aggregate_id), e.event_id, e.event_type, e.event_version, e.aggregate_type, e.aggregate_id,
  ${shared}, e.data
FROM ROWS FROM (json_to_recordset($1::json) AS (event_id uuid, event_type text, event_version text,
  aggregate_type text, aggregate_id text, data json)) WITH ORDINALITY
  AS e (event_id, event_type, event_version, aggregate_type, aggregate_id, data, nr)
ORDER BY e.nr`;

/** Appends events in the order given and returns their ids. Does nothing for none. */
export async function appendEvents(
  execute: Execute,
  events: readonly MappedEvent[],
  { source, context }: Envelope,
): Promise<string[]> {
  const { correlationId, causationId, actor, traceparent } = context;
  const metadata = [contextValue(source), correlationId, causationId, actor, traceparent];
  const values = metadata.map((value) => value ?? null);
  const [only] = events;
  if (only && events.length === 1) return [await appendOne(execute, only, values)];
  const ids: string[] = [];
  let next = chunkOf(events, 0);
  while (next.ids.length > 0) {
    ids.push(...next.ids);
    const appending = execute(insertMany, [next.json, ...values]);
    // While the database is busy with these.
    next = chunkOf(events, ids.length);
    await appending;
  }
  return ids;
}

async function appendOne(
  execute: Execute,
  { eventType, version, aggregateType, aggregateId, data }: MappedEvent,
  shared: readonly (string | null)[],
): Promise<string> {
  const id = randomUUID();
  const own = [id, eventType, version, aggregateType, aggregateId];
  await execute(insertOne, [JSON.stringify(data), ...shared, ...own]);
  return id;
}

/** The events from here on that one statement takes, in the form that it takes. */
function chunkOf(events: readonly MappedEvent[], start: number): { ids: string[]; json: string } {
  const rows = events
    .slice(start, start + chunkSize)
    .map(({ eventType, version, aggregateType, aggregateId, data }) => ({
      event_id: randomUUID(),
      event_type: eventType,
      event_version: version,
      aggregate_type: aggregateType,
      aggregate_id: aggregateId,
      data,
    }));
  return { ids: rows.map((row) => row.event_id), json: JSON.stringify(rows) };
}

/**
 * Makes later appends for this key wait until the transaction ends. For explicit events: they name an aggregate whose
 * row the transaction may not have locked, and without a lock their order would be nobody's promise.
 */
export async function lockKey(execute: Execute, aggregateId: string): Promise<void> {
  await execute('SELECT 1 FROM pg_advisory_xact_lock(hashtextextended($1::text, 0))', [aggregateId]);
}
