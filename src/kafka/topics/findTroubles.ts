import type { KafkaAdmin } from '../ports';
import { topicErrorsOf } from '../kafkajs/topicErrors';
import { troubleState, type TopicTrouble } from './topicTrouble';

/**
 * Which of the topics cannot be used, as far as the cluster tells without their being written or read: those that are
 * missing, those that this account may not see, those without a leader. One request, which names the topics: an answer
 * about all topics of the cluster fails for any foreign one without a leader, and leaves out what is hidden.
 * Rejects when the cluster cannot be asked.
 */
export async function findTroubles(
  admin: Pick<KafkaAdmin, 'fetchTopicMetadata'>,
  topics: readonly string[],
): Promise<TopicTrouble[]> {
  if (topics.length === 0) return [];
  try {
    await admin.fetchTopicMetadata({ topics: [...topics] });
    return [];
  } catch (error) {
    const errors = topicErrorsOf(error);
    if (errors.length === 0) throw error;
    return errors.map(({ topic, type, message }) => ({
      topic,
      state: troubleState(type) ?? 'unavailable',
      operation: 'Describe',
      type,
      message,
    }));
  }
}
