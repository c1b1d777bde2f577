import { z } from 'zod';
import { faultsOf } from './checkData';
import type { Catalogue, EventData, EventType } from './catalogue';

/** What every event looks like; its data have a schema of their own, by event type. */
export const envelopeSchema = z.object({
  event_id: z.guid(),
  event_type: z.string().min(1),
  timestamp: z.iso.datetime({ offset: true }),
  data: z.record(z.string(), z.unknown()),
  metadata: z.looseObject({
    source: z.string(),
    version: z.string(),
    aggregate_type: z.string(),
    aggregate_id: z.string(),
    /** Grows with every later event of one aggregate, across topics. Digits, because it may pass 2^53. */
    sequence: z.string().regex(/^\d+$/),
    correlation_id: z.string().nullable(),
    causation_id: z.string().nullable(),
    actor: z.string().nullable(),
    traceparent: z.string().nullable(),
  }),
});

export type EventMetadata = z.infer<typeof envelopeSchema>['metadata'];

/** An event as it is on the wire: the value of every Kafka message of ours. */
export interface EventEnvelope<Type extends string = string, Data = Record<string, unknown>> {
  event_id: string;
  event_type: Type;
  /** When the change was made, ISO 8601 in UTC. */
  timestamp: string;
  data: Data;
  metadata: EventMetadata;
}

/** An event of one of these types of a catalogue, as a union that narrows by `event_type`. */
export type EventOf<C extends Catalogue, T extends EventType<C> = EventType<C>> = {
  [K in T]: EventEnvelope<K, EventData<C, K>>;
}[T];

export type ParsedEnvelope = { ok: true; event: EventEnvelope } | { ok: false; reason: string };

/**
 * Reads an event of a catalogue from a message's value.
 * Never throws; the reason names paths and expectations, never a value, so that it may be logged.
 */
export function parseEnvelope(catalogue: Catalogue, value: string): ParsedEnvelope {
  let decoded: unknown;
  try {
    decoded = JSON.parse(value);
  } catch {
    return { ok: false, reason: 'the value is not JSON' };
  }
  const envelope = envelopeSchema.safeParse(decoded);
  if (!envelope.success) return { ok: false, reason: faultsOf(envelope.error) };
  const definition = catalogue.find(envelope.data.event_type);
  if (!definition) return { ok: false, reason: 'event_type: not in the catalogue' };
  const data = definition.data.safeParse(envelope.data.data);
  if (!data.success) return { ok: false, reason: faultsOf(data.error, 'data') };
  return { ok: true, event: { ...envelope.data, data: data.data as Record<string, unknown> } };
}
