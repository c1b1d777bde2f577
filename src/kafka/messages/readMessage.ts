import type { Headers } from '../ports';
import type { Catalogue } from '../../events/catalogue';
import { type ParsedEnvelope, parseEnvelope } from '../../events/envelope';
import { topicOf } from '../topics/topicNames';

/** A message as it came from Kafka, with where it lies. */
export interface ReceivedMessage {
  readonly topic: string;
  readonly partition: number;
  /** A decimal string, because it may pass 2^53. */
  readonly offset: string;
  /** Milliseconds since 1970, as a decimal string: what Kafka says of it. */
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  /** By name; an array where a name occurs several times. */
  readonly headers: Headers;
}

/** Names a place in a topic for maps and logs: `healthcore.patient.created/0`. */
export function partitionKey({ topic, partition }: { topic: string; partition: number }): string {
  return `${topic}/${partition}`;
}

/**
 * Decodes and validates the event in a message, and that it lies in the topic of its type.
 * Never throws; a reason names paths and rules, never a value.
 */
export function readEvent(
  message: ReceivedMessage,
  { catalogue, topicPrefix }: { readonly catalogue: Catalogue; readonly topicPrefix: string },
): ParsedEnvelope {
  if (message.value === null) return { ok: false, reason: 'the message has no value' };
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(message.value);
  } catch {
    return { ok: false, reason: 'the value is not UTF-8' };
  }
  const parsed = parseEnvelope(catalogue, text);
  if (parsed.ok && topicOf(topicPrefix, parsed.event.event_type) !== message.topic) {
    return { ok: false, reason: 'event_type: belongs in another topic' };
  }
  return parsed;
}
