import type { Failure } from '../failurePolicy';
import type { Delivery } from '../runHandler';
import { storeHeaders } from './message';
import { orderOf } from './order';
import type { Transaction } from '../transaction';

/** Whether later events of an aggregate wait for its postponed one, or pass it. */
export type LaterEvents = 'wait' | 'pass';

export interface PutAside {
  readonly consumer: string;
  readonly delivery: Delivery;
  /** What its attempts came to; without it the event only waits for an earlier one. */
  readonly tried?: {
    readonly failure: Failure;
    readonly attempts: number;
    /** Milliseconds until it is tried again. */
    readonly afterMs: number;
  };
}

/**
 * Stores an event, whole, to be tried later. Its inbox row belongs in the same transaction. One that only waits for an
 * earlier event is due at no time until that one is done with (release.ts).
 */
export async function putAside(
  tx: Transaction,
  { consumer, delivery: { event, message }, tried }: PutAside,
): Promise<void> {
  const { aggregateType, aggregateId, sequence } = orderOf(event.metadata);
  const { topic, partition, offset, timestamp, key, value, headers } = message;
  await tx.$executeRaw`
    INSERT INTO "signalbox"."postponed_event"
      ("consumer", "event_id", "event_type", "aggregate_type", "aggregate_id", "sequence",
       "topic", "partition", "offset", "timestamp_ms", "key", "value", "headers",
       "due_at", "tried_since", "attempts", "error_class", "reason")
    VALUES (${consumer}, ${event.event_id}::uuid, ${event.event_type}, ${aggregateType}, ${aggregateId},
      ${sequence}::numeric, ${topic}, ${partition}::int, ${offset}::bigint, ${timestamp}::bigint,
      ${key}::bytea, ${value}::bytea, ${JSON.stringify(storeHeaders(headers))}::jsonb,
      CASE WHEN ${tried !== undefined} THEN now() + ${tried?.afterMs ?? 0}::float8 * interval '1 millisecond'
        ELSE 'infinity' END,
      CASE WHEN ${tried !== undefined} THEN now() END, ${tried?.attempts ?? 0}::int,
      ${tried?.failure.errorClass ?? null}::text, ${tried?.failure.reason ?? null}::text)`;
}
