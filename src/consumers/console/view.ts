import type { Catalogue } from '../../events/catalogue';
import { type EventEnvelope, parseEnvelope } from '../../events/envelope';
import { type ReceivedMessage, readEvent } from '../../kafka/messages/readMessage';

/** What the console knows of a message. */
export interface MessageView {
  readonly kafka: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    /** When Kafka took it in, ISO 8601. */
    readonly timestamp: string;
    readonly key: string | null;
    readonly headers: Readonly<Record<string, string | readonly string[]>>;
  };
  /** The value as it is; null for a message without one. */
  readonly text: string | null;
  /** The value, if it is JSON. */
  readonly decoded?: unknown;
  readonly event?: EventEnvelope;
  /** Why it is no event of the catalogue. */
  readonly problem?: string;
}

export interface FormatOptions {
  readonly headers: boolean;
  readonly colour: boolean;
  readonly deadLetters: boolean;
  /** Whether the output goes to a terminal, which must not be handed control characters. */
  readonly terminal: boolean;
}

/** What tells an event from any other message. */
export interface ViewOptions {
  readonly catalogue: Catalogue;
  readonly topicPrefix: string;
  /** Whether the message lies in the topic of dead letters. */
  readonly deadLetters?: boolean;
}

/** Reads a message for showing. A dead letter lies in a topic that is not its event's. */
export function viewOf(
  message: ReceivedMessage,
  { catalogue, topicPrefix, deadLetters = false }: ViewOptions,
): MessageView {
  const text = message.value === null ? null : message.value.toString();
  const parsed =
    deadLetters && text !== null
      ? parseEnvelope(catalogue, text)
      : readEvent(message, { catalogue, topicPrefix });
  return {
    kafka: {
      topic: message.topic,
      partition: message.partition,
      offset: message.offset,
      timestamp: new Date(Number(message.timestamp)).toISOString(),
      key: message.key?.toString() ?? null,
      headers: headersOf(message),
    },
    text,
    decoded: decode(text),
    ...(parsed.ok ? { event: parsed.event } : { problem: parsed.reason }),
  };
}

function headersOf({ headers }: ReceivedMessage): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(String) : (value?.toString() ?? ''),
    ]),
  );
}

function decode(text: string | null): unknown {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: it is shown as text, with the reason that `problem` gives.
    return undefined;
  }
}
