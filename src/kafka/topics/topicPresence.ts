import type { KafkaAdmin } from '../ports';
import { findTroubles } from './findTroubles';

/** What the cluster says of a topic's existence: one that this account may not see is `hidden`. */
export type TopicPresence = 'there' | 'missing' | 'hidden';

/** Whether the cluster has each of the topics. Rejects when the cluster cannot be asked. */
export async function topicPresence(
  admin: Pick<KafkaAdmin, 'fetchTopicMetadata'>,
  names: readonly string[],
): Promise<Map<string, TopicPresence>> {
  const troubles = await findTroubles(admin, names);
  const presenceOf = (name: string): TopicPresence => {
    const found = troubles.find(({ topic }) => topic === name);
    if (found?.type === 'TOPIC_AUTHORIZATION_FAILED') return 'hidden';
    return found?.state === 'missing' ? 'missing' : 'there';
  };
  return new Map(names.map((name) => [name, presenceOf(name)]));
}
