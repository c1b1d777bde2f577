import { topicOf } from '../topics/topicNames';

/** An event as the outbox holds it, with its data as JSON text. */
export interface OutgoingEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly eventVersion: string;
  readonly aggregateType: string;
  readonly aggregateId: string;
  readonly occurredAt: Date;
  readonly source: string;
  readonly correlationId: string | null;
  readonly causationId: string | null;
  readonly actor: string | null;
  readonly traceparent: string | null;
  /** A whole number that grows within the aggregate, as digits. */
  readonly position: string;
  readonly data: string;
}

/** A message that is ready to be sent. */
export interface OutgoingMessage {
  readonly topic: string;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Record<string, string>;
  /** What it takes of a record batch, at most, in bytes. */
  readonly bytes: number;
}

/** Lengths, time stamp, offset and attributes of a record, at most, and the frame of a batch that it may be alone in. */
const recordOverhead = 36;
const batchOverhead = 70;
const headerOverhead = 4;

/** The Kafka message of an event, with further headers if it is to have any. */
export function encodeEvent(
  event: OutgoingEvent,
  topicPrefix: string,
  extraHeaders?: Readonly<Record<string, string>>,
): OutgoingMessage {
  const value = Buffer.from(envelopeOf(event));
  const headers = extraHeaders ? { ...headersOf(event), ...extraHeaders } : headersOf(event);
  const bytes = recordOverhead + Buffer.byteLength(event.aggregateId) + value.length + sizeOf(headers);
  return { topic: topicOf(topicPrefix, event.eventType), key: event.aggregateId, value, headers, bytes };
}

/** What a batch of messages takes on the broker, at most, uncompressed, in bytes. */
export const batchBytes = (messageBytes: number): number => messageBytes + batchOverhead;

/**
 * The envelope, put together around the data's own text: reading and printing it anew would cost time and change
 * numbers that JavaScript can't hold.
 */
export function envelopeOf(event: OutgoingEvent): string {
  const text = JSON.stringify;
  return (
    `{"event_id":"${event.eventId}","event_type":${text(event.eventType)},` +
    `"timestamp":"${event.occurredAt.toISOString()}","data":${event.data},` +
    `"metadata":{"source":${text(event.source)},"version":${text(event.eventVersion)},` +
    `"aggregate_type":${text(event.aggregateType)},"aggregate_id":${text(event.aggregateId)},` +
    `"sequence":"${event.position}","correlation_id":${text(event.correlationId)},` +
    `"causation_id":${text(event.causationId)},"actor":${text(event.actor)},` +
    `"traceparent":${text(event.traceparent)}}}`
  );
}

/** Headers can't be null; what an event does not have is left out. */
function headersOf(event: OutgoingEvent): Record<string, string> {
  return {
    event_id: event.eventId,
    event_type: event.eventType,
    event_version: event.eventVersion,
    aggregate_type: event.aggregateType,
    aggregate_id: event.aggregateId,
    ...(event.correlationId === null ? {} : { correlation_id: event.correlationId }),
    ...(event.traceparent === null ? {} : { traceparent: event.traceparent }),
    'content-type': 'application/json',
  };
}

function sizeOf(headers: Record<string, string>): number {
  let bytes = 0;
  for (const [name, value] of Object.entries(headers)) {
    bytes += headerOverhead + name.length + Buffer.byteLength(value);
  }
  return bytes;
}
