import type { Admin, Kafka } from 'kafkajs';
import { eventTypes } from '../events/catalogue';
import { errorTypes } from './errorTypes';
import { deadLetterTopic, topicOf } from './topicNames';

/** How topics are made; the names are those of config/variables.ts. */
export interface TopicSettings {
  readonly KAFKA_TOPIC_PREFIX: string;
  readonly KAFKA_TOPIC_PARTITIONS: number;
  readonly KAFKA_REPLICATION_FACTOR: number;
  readonly KAFKA_TOPIC_RETENTION_MS: number;
  readonly KAFKA_CREATE_TOPICS: boolean;
}

/** Every topic that Signalbox writes to: one for each event type, and the dead letters'. */
export function declaredTopics(prefix: string): string[] {
  return [...eventTypes.map((eventType) => topicOf(prefix, eventType)), deadLetterTopic(prefix)];
}

/**
 * Creates the declared topics that the cluster lacks, if KAFKA_CREATE_TOPICS says so. Existing ones are left as they
 * are. Resolves to what was created and what is missing still. Rejects when the cluster cannot be asked.
 */
export async function ensureTopics(
  kafka: Kafka,
  settings: TopicSettings,
): Promise<{ created: string[]; missing: string[] }> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    const existing = new Set(await admin.listTopics());
    const missing = declaredTopics(settings.KAFKA_TOPIC_PREFIX).filter((topic) => !existing.has(topic));
    if (missing.length === 0 || !settings.KAFKA_CREATE_TOPICS) return { created: [], missing };
    await createTopics(admin, missing, settings);
    return { created: missing, missing: [] };
  } finally {
    // It may never have been connected, and what failed then is what the caller hears of.
    await admin.disconnect().catch(() => undefined);
  }
}

async function createTopics(admin: Admin, topics: string[], settings: TopicSettings): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((topic) => ({
        topic,
        numPartitions: settings.KAFKA_TOPIC_PARTITIONS,
        replicationFactor: settings.KAFKA_REPLICATION_FACTOR,
        configEntries: [{ name: 'retention.ms', value: String(settings.KAFKA_TOPIC_RETENTION_MS) }],
      })),
    });
  } catch (error) {
    // Another relay was faster, or the broker that was asked has not heard of the new topics yet. What is not there
    // is found missing when it is written to.
    const harmless = ['TOPIC_ALREADY_EXISTS', 'UNKNOWN_TOPIC_OR_PARTITION'];
    if (!errorTypes(error).some((type) => harmless.includes(type))) throw error;
  }
}
