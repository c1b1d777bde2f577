import { randomUUID } from 'node:crypto';
import type { Catalogue } from '../events/catalogue';
import type { EventEnvelope, EventMetadata } from '../events/envelope';

/** An event as a test writes it down: its type and its data, and whatever else matters to the test. */
export interface EventDraft {
  readonly eventType: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** A new one at each delivery, unless it is given. */
  readonly eventId?: string;
  /** ISO 8601; the present, unless it is given. */
  readonly timestamp?: string;
  readonly metadata?: Partial<EventMetadata>;
}

/**
 * The envelope of a draft, with everything that it leaves open.
 * @throws Error when the catalogue has no event of this type.
 */
export function draftEnvelope(catalogue: Catalogue, draft: EventDraft): EventEnvelope {
  const { eventType, data, eventId = randomUUID(), timestamp = new Date().toISOString() } = draft;
  const definition = catalogue.find(eventType);
  if (!definition) {
    const known = catalogue.eventTypes.join(', ');
    throw new Error(`The catalogue has no event "${eventType}"; it has: ${known}.`);
  }
  const metadata: EventMetadata = {
    source: 'test',
    version: definition.version,
    aggregate_type: definition.aggregateType,
    aggregate_id: randomUUID(),
    sequence: '1',
    correlation_id: null,
    causation_id: null,
    actor: null,
    traceparent: null,
    ...draft.metadata,
  };
  return { event_id: eventId, event_type: eventType, timestamp, data: { ...data }, metadata };
}
