import type { ReceivedMessage } from '../messages/readMessage';

/** A dead letter as it lies in its topic; what its headers do not say is undefined. */
export interface ReadDeadLetter {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
  /** When Kafka took it in. */
  readonly writtenAt: Date;
  readonly key: string | null;
  /** The consumer group that gave up. */
  readonly group?: string;
  readonly eventId?: string;
  readonly eventType?: string;
  readonly errorClass?: string;
  readonly reason?: string;
  readonly attempts?: number;
  readonly failedAt?: string;
  /** Where the message was; undefined for something that is no dead letter of ours. */
  readonly original?: { topic: string; partition: number; offset: string; timestamp: string };
  /** What it was too large to take along. */
  readonly omitted?: string;
}

/** Reads what a dead letter says of itself. Never throws: anybody can write to a topic. */
export function readDeadLetter(message: ReceivedMessage, topicPrefix: string): ReadDeadLetter {
  const header = (name: string): string | undefined => {
    const value = message.headers[name];
    return value === undefined ? undefined : String(value);
  };
  const original = originalOf(header);
  const found = {
    group: header('dlq.consumer.group'),
    eventId: header('event_id'),
    eventType: header('event_type') ?? typeOf(original?.topic, topicPrefix),
    errorClass: header('dlq.error.class'),
    reason: header('dlq.error.message'),
    attempts: numberOf(header('dlq.attempts')),
    failedAt: header('dlq.failed.at'),
    original,
    omitted: header('dlq.omitted'),
  };
  return {
    topic: message.topic,
    partition: message.partition,
    offset: message.offset,
    writtenAt: new Date(Number(message.timestamp)),
    key: message.key?.toString() ?? null,
    ...withoutUndefined(found),
  };
}

function originalOf(header: (name: string) => string | undefined): ReadDeadLetter['original'] {
  const topic = header('dlq.original.topic');
  const partition = numberOf(header('dlq.original.partition'));
  const offset = header('dlq.original.offset');
  const timestamp = header('dlq.original.timestamp');
  if (!topic || partition === undefined || !offset || !/^\d{1,19}$/.test(offset) || !timestamp)
    return undefined;
  return { topic, partition, offset, timestamp };
}

function typeOf(topic: string | undefined, prefix: string): string | undefined {
  return topic?.startsWith(`${prefix}.`) ? topic.slice(prefix.length + 1) : undefined;
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : undefined;
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>;
}
