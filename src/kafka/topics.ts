import type { Admin, Kafka } from 'kafkajs';
import { type DeclaredTopic, declareTopics, settingsOfNew, type TopicSettings } from './declaredTopics';
import { errorTypes } from './errorTypes';
import { withAdmin } from './withAdmin';

/**
 * Creates the declared topics that the cluster lacks, if KAFKA_CREATE_TOPICS says so. Existing ones are left as they
 * are. Resolves to what was created and what is missing still. Rejects when the cluster cannot be asked.
 */
export async function ensureTopics(
  kafka: Kafka,
  settings: TopicSettings,
): Promise<{ created: string[]; missing: string[] }> {
  return withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    const missing = declareTopics(settings).filter(({ topic }) => !existing.has(topic));
    const names = missing.map(({ topic }) => topic);
    if (missing.length === 0 || !settings.KAFKA_CREATE_TOPICS) return { created: [], missing: names };
    await createTopics(admin, missing);
    return { created: names, missing: [] };
  });
}

/** Creates topics as they are declared. That one exists by now is no error. */
export async function createTopics(admin: Admin, topics: readonly DeclaredTopic[]): Promise<void> {
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: topics.map((declared) => ({
        topic: declared.topic,
        numPartitions: declared.partitions,
        replicationFactor: declared.replicationFactor,
        configEntries: settingsOfNew(declared).map(({ name, value }) => ({ name, value })),
      })),
    });
  } catch (error) {
    // Another relay was faster, or the broker that was asked has not heard of the new topics yet. What is not there
    // is found missing when it is written to.
    const harmless = ['TOPIC_ALREADY_EXISTS', 'UNKNOWN_TOPIC_OR_PARTITION'];
    if (!errorTypes(error).some((type) => harmless.includes(type))) throw error;
  }
}
