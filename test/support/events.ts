/** Events and Kafka messages as the relay would publish them, for tests of what reads them. */
import { randomUUID } from 'node:crypto';
import type { EventData, EventEnvelope, EventType } from '../../src/healthcore/catalogue';
import type { ReceivedMessage } from '../../src/kafka/messages/readMessage';
import { topicOf } from '../../src/kafka/topics/topicNames';

/** A text that must turn up in no log line, header or metric. */
export const patientMarker = 'Zebulon-Quixote-4711';

/** Data that fit every event type of the catalogue, for events of which only the order matters. */
export const dataOfAnyEvent = {
  patient_id: '0197a1b2-0000-7000-8000-000000000001',
  name: 'A',
  email: 'a@example.com',
  phone: null,
  changed_fields: [],
  appointment_id: '0197a1b2-0000-7000-8000-000000000002',
  practitioner: 'A',
  starts_at: '2026-01-05T19:00:00.000Z',
  ends_at: '2026-01-05T20:00:00.000Z',
  previous_starts_at: '2026-01-05T18:00:00.000Z',
  previous_ends_at: '2026-01-05T19:00:00.000Z',
  status: 'BOOKED',
  previous_status: 'BOOKED',
  to: 'a@example.com',
  subject: 'A',
  text: '',
};

/** The same in SQL, numbered by the expression `n`. */
export const numberedData = (n: string): string =>
  `('${JSON.stringify(dataOfAnyEvent)}'::jsonb || jsonb_build_object('n', ${n}))::json`;

/** A valid event of a type, with parts of its metadata replaced. */
export function eventOf<T extends EventType>(
  eventType: T,
  data: EventData<T>,
  metadata: Partial<EventEnvelope['metadata']> = {},
): EventEnvelope<T> {
  const aggregateId = randomUUID();
  return {
    event_id: randomUUID(),
    event_type: eventType,
    timestamp: '2026-01-05T19:00:00.000Z',
    data,
    metadata: {
      source: 'test',
      version: '1.0',
      aggregate_type: eventType.split('.')[0] ?? eventType,
      aggregate_id: aggregateId,
      sequence: '1',
      correlation_id: 'correlation-1',
      causation_id: null,
      actor: 'account-1',
      traceparent: null,
      ...metadata,
    },
  };
}

/** A patient whose name and address are the marker. */
export function patientCreated(
  metadata: Partial<EventEnvelope['metadata']> = {},
): EventEnvelope<'patient.created'> {
  const data = {
    patient_id: randomUUID(),
    name: patientMarker,
    email: `${patientMarker}@example.com`,
    phone: null,
  };
  return eventOf('patient.created', data, { aggregate_id: data.patient_id, ...metadata });
}

/** The message that carries an event, as a consumer is handed it. */
export function messageOf<T extends EventType>(
  event: EventEnvelope<T>,
  topicPrefix: string,
  offset = '0',
): ReceivedMessage {
  return rawMessage(topicOf(topicPrefix, event.event_type), JSON.stringify(event), {
    offset,
    key: Buffer.from(event.metadata.aggregate_id),
  });
}

/** A message with any value, for what does not parse. */
export function rawMessage(
  topic: string,
  value: string | Buffer | null,
  overrides: Partial<ReceivedMessage> = {},
): ReceivedMessage {
  return {
    topic,
    partition: 0,
    offset: '0',
    timestamp: '1767639600000',
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers: {},
    ...overrides,
  };
}
