import type { Catalogue } from '../../events/catalogue';
import { deadLetterTopic, topicOf } from './topicNames';

/** How topics are made; the names are those of config/variables.ts. */
export interface TopicSettings {
  readonly KAFKA_TOPIC_PREFIX: string;
  readonly KAFKA_TOPIC_PARTITIONS: number;
  readonly KAFKA_REPLICATION_FACTOR: number;
  readonly KAFKA_TOPIC_RETENTION_MS: number;
  readonly KAFKA_CREATE_TOPICS: boolean;
  /** Without it, topics take what Kafka takes by default. */
  readonly KAFKA_MAX_MESSAGE_BYTES?: number;
}

/** What a topic is to be like. */
export interface DeclaredTopic {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly settings: readonly DeclaredSetting[];
}

export interface DeclaredSetting {
  /** Kafka's name of it. */
  readonly name: string;
  readonly value: string;
  /** A larger number will do as well. */
  readonly atLeast?: true;
}

/** What a broker takes by default. */
const defaultMaxMessageBytes = 1_048_588;
/** Room for the headers that a dead letter is given. */
const deadLetterHeaderBytes = 16_384;

/** Every topic that Signalbox writes to: one for each event type, and the dead letters'. */
export function declaredTopics({ eventTypes }: Catalogue, prefix: string): string[] {
  return [...eventTypes.map((eventType) => topicOf(prefix, eventType)), deadLetterTopic(prefix)];
}

/** What each of those topics is to be like. */
export function declareTopics(catalogue: Catalogue, settings: TopicSettings): DeclaredTopic[] {
  const { KAFKA_TOPIC_PREFIX, KAFKA_TOPIC_PARTITIONS, KAFKA_REPLICATION_FACTOR } = settings;
  const deadLetters = deadLetterTopic(KAFKA_TOPIC_PREFIX);
  return declaredTopics(catalogue, KAFKA_TOPIC_PREFIX).map((topic) => ({
    topic,
    partitions: KAFKA_TOPIC_PARTITIONS,
    replicationFactor: KAFKA_REPLICATION_FACTOR,
    settings: settingsOf(settings, topic === deadLetters ? deadLetterHeaderBytes : 0),
  }));
}

function settingsOf(
  { KAFKA_TOPIC_RETENTION_MS, KAFKA_MAX_MESSAGE_BYTES = 1_000_000 }: TopicSettings,
  extraBytes: number,
): DeclaredSetting[] {
  return [
    { name: 'retention.ms', value: String(KAFKA_TOPIC_RETENTION_MS) },
    { name: 'cleanup.policy', value: 'delete' },
    { name: 'compression.type', value: 'producer' },
    { name: 'max.message.bytes', value: String(KAFKA_MAX_MESSAGE_BYTES + extraBytes), atLeast: true },
  ];
}

/** What is set when a topic is made: not a limit that brokers have anyway, for theirs may be higher. */
export function settingsOfNew({ settings }: DeclaredTopic): DeclaredSetting[] {
  return settings.filter(({ value, atLeast }) => !atLeast || Number(value) > defaultMaxMessageBytes);
}
