import type { KafkaClient } from '../ports';
import { topicStates } from './topicStates';
import { withAdmin } from '../withAdmin';

/**
 * The longest time that one of these topics keeps its messages, in milliseconds; Infinity where one keeps them for ever,
 * or keeps the last one of each key (compaction). 0 where none of them exists. Rejects when Kafka does not answer.
 */
export async function longestRetentionMs(kafka: KafkaClient, topics: readonly string[]): Promise<number> {
  const states = await withAdmin(kafka, (admin) => topicStates(admin, topics));
  const times = [...states.values()].map(({ settings }) => {
    if (settings.get('cleanup.policy')?.value.includes('compact')) return Infinity;
    const retentionMs = Number(settings.get('retention.ms')?.value ?? 0);
    return retentionMs < 0 ? Infinity : retentionMs;
  });
  return Math.max(0, ...times);
}
