import type { ReceivedMessage } from '../../kafka/messages/readMessage';

type Headers = ReceivedMessage['headers'];

/** A message as the columns of signalbox.postponed_event hold it. */
export interface StoredMessage {
  readonly topic: string;
  readonly partition: number;
  /** Digits. */
  readonly offset: string;
  /** Milliseconds since 1970, as digits. */
  readonly timestampMs: string;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array;
  readonly headers: StoredHeaders;
}

/** Name and values of each header in base64: neither jsonb nor text can hold every byte. */
export type StoredHeaders = readonly (readonly [name: string, values: readonly (string | null)[]])[];

/** The headers of a message for the column "headers". */
export function storeHeaders(headers: Headers): StoredHeaders {
  return Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [toBase64(name), (Array.isArray(value) ? value : [value]).map(toBase64OrNull)]);
}

/** The message that was stored, byte for byte. */
export function restoreMessage(stored: StoredMessage): ReceivedMessage {
  const { topic, partition, offset, timestampMs, key, value } = stored;
  return {
    topic,
    partition,
    offset,
    timestamp: timestampMs,
    key: key === null ? null : Buffer.from(key),
    value: Buffer.from(value),
    headers: restoreHeaders(stored.headers),
  };
}

/** kafkajs has no type for a null value, which Kafka allows; it passes it on all the same. */
function restoreHeaders(headers: StoredHeaders): Headers {
  const entries = headers.map(([name, values]) => {
    const restored = values.map((value) => (value === null ? null : Buffer.from(value, 'base64')));
    return [Buffer.from(name, 'base64').toString(), restored.length === 1 ? restored[0] : restored] as const;
  });
  return Object.fromEntries(entries) as Headers;
}

const toBase64 = (value: Buffer | string): string => Buffer.from(value).toString('base64');

const toBase64OrNull = (value: Buffer | string | null | undefined): string | null =>
  value === null || value === undefined ? null : toBase64(value);
