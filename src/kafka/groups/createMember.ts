import type { KafkaMember } from '../ports';
import type { GroupConsumerOptions } from './groupConsumerOptions';

/** A fetch of idle partitions returns after this; a message that arrives ends it at once. */
const longPollMs = 500;

/** Time between two heartbeats of a member, in milliseconds. */
export const heartbeatIntervalMs = 1_000;

/** A kafkajs consumer that ends at the first failure: its maker makes the next one. */
export function createMember({ kafka, group, sessionTimeoutMs }: GroupConsumerOptions): KafkaMember {
  return kafka.consumer({
    groupId: group,
    sessionTimeout: sessionTimeoutMs,
    heartbeatInterval: heartbeatIntervalMs,
    maxWaitTimeInMs: longPollMs,
    minBytes: 1,
    allowAutoTopicCreation: false,
    retry: { retries: 5, restartOnFailure: async () => false },
  });
}
