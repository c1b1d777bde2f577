import type { KafkaAdmin } from '../ports';
import { UserError } from '../../shared/lifecycle';

/** The first offset of a partition that is still there, and the next one to be written; decimal strings. */
export interface PartitionOffsets {
  readonly partition: number;
  readonly low: string;
  readonly high: string;
}

const underWay = new WeakMap<object, Promise<unknown>>();

/**
 * The offsets of a topic's partitions. One topic at a time for each admin client: kafkajs shares a refresh of its
 * metadata that is under way, which knows nothing of a topic that was named since, and then fails with a TypeError.
 * @throws UserError when nobody leads a partition.
 */
export function topicOffsets(
  admin: Pick<KafkaAdmin, 'fetchTopicOffsets'>,
  topic: string,
): Promise<PartitionOffsets[]> {
  const before = underWay.get(admin) ?? Promise.resolve();
  const offsets = before.then(() => fetchOffsets(admin, topic));
  underWay.set(
    admin,
    offsets.catch(() => undefined),
  );
  return offsets;
}

async function fetchOffsets(
  admin: Pick<KafkaAdmin, 'fetchTopicOffsets'>,
  topic: string,
): Promise<PartitionOffsets[]> {
  try {
    return await admin.fetchTopicOffsets(topic);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UserError(`Kafka does not say who leads ${topic}. Try again in a moment.`, { cause: error });
  }
}
