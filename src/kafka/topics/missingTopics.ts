import type { KafkaClient } from '../ports';
import { withAdmin } from '../withAdmin';

/** Which of the topics the cluster does not have. Rejects when no broker can be reached. */
export async function missingTopics(kafka: KafkaClient, topics: readonly string[]): Promise<string[]> {
  return withAdmin(kafka, async (admin) => {
    const existing = new Set(await admin.listTopics());
    return topics.filter((topic) => !existing.has(topic));
  });
}
