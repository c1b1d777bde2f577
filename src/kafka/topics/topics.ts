import type { KafkaAdmin, KafkaClient } from '../ports';
import type { Catalogue } from '../../events/catalogue';
import { type DeclaredTopic, declareTopics, settingsOfNew, type TopicSettings } from './declaredTopics';
import { errorTypes } from '../errorTypes';
import { findTroubles } from './findTroubles';
import { nameFailedTopics, topicErrorsOf } from '../kafkajs/topicErrors';
import type { TopicTrouble } from './topicTrouble';
import { withAdmin } from '../withAdmin';

export interface EnsuredTopics {
  readonly created: string[];
  /** Topics that cannot be used, with the reason. */
  readonly troubles: TopicTrouble[];
}

/**
 * Creates the declared topics that the cluster lacks, if KAFKA_CREATE_TOPICS says so. Existing ones are left as they
 * are. A topic that cannot be created, or used, does not keep the others from it. Rejects when the cluster cannot be
 * asked.
 */
export async function ensureTopics(
  kafka: KafkaClient,
  catalogue: Catalogue,
  settings: TopicSettings,
): Promise<EnsuredTopics> {
  nameFailedTopics();
  return withAdmin(kafka, async (admin) => {
    const declared = declareTopics(catalogue, settings);
    const troubles = await findTroubles(
      admin,
      declared.map(({ topic }) => topic),
    );
    const missing = new Set(troubles.filter(({ state }) => state === 'missing').map(({ topic }) => topic));
    if (missing.size === 0 || !settings.KAFKA_CREATE_TOPICS) return { created: [], troubles };
    const refused = await tryToCreate(
      admin,
      declared.filter(({ topic }) => missing.has(topic)),
    );
    const notCreated = new Set(refused.map(({ topic }) => topic));
    return {
      created: [...missing].filter((topic) => !notCreated.has(topic)),
      troubles: [...troubles.filter(({ topic }) => !missing.has(topic)), ...refused],
    };
  });
}

/** Resolves to the topics that Kafka refuses to create. */
async function tryToCreate(admin: KafkaAdmin, topics: readonly DeclaredTopic[]): Promise<TopicTrouble[]> {
  try {
    await createTopics(admin, topics);
    return [];
  } catch (error) {
    const errors = topicErrorsOf(error).filter(({ type }) => type !== 'TOPIC_ALREADY_EXISTS');
    const refusals = errors.filter(({ type }) => type !== 'NOT_CONTROLLER');
    if (refusals.length > 0)
      return refusals.map((one) => ({ ...one, state: 'refused', operation: 'Create' }));
    // The controller may be away while the others serve what is there: then these are missing, and nothing more.
    const type = errors[0]?.type ?? errorTypes(error).at(-1) ?? 'unknown';
    return topics.map(({ topic }) => ({ topic, state: 'missing', operation: 'Create', type }));
  }
}

/** Creates topics as they are declared. That one exists by now is no error. */
export async function createTopics(admin: KafkaAdmin, topics: readonly DeclaredTopic[]): Promise<void> {
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
