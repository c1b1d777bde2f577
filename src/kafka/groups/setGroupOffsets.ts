import type { KafkaClient } from '../ports';

export interface NewOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}

/** Joining a group may take its session's time; a broker that does not answer must not hold us for ever. */
const joinTimeoutMs = 60_000;

/**
 * Sets a group's offsets. Kafka takes them from a member, so this joins the group for a moment, commits, and leaves;
 * it reads no message. The caller sees to it that the group is not running, and looks at the result.
 */
export async function setGroupOffsets(
  kafka: KafkaClient,
  group: string,
  offsets: readonly NewOffset[],
): Promise<void> {
  const topics = [...new Set(offsets.map(({ topic }) => topic))];
  const consumer = kafka.consumer({
    groupId: group,
    sessionTimeout: 30_000,
    maxWaitTimeInMs: 100,
    allowAutoTopicCreation: false,
    retry: { retries: 2, restartOnFailure: async () => false },
  });
  let timer: NodeJS.Timeout | undefined;
  const joined = new Promise<void>((resolve, reject) => {
    consumer.on(consumer.events.GROUP_JOIN, () => {
      consumer.pause(topics.map((topic) => ({ topic })));
      resolve();
    });
    consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    timer = setTimeout(
      () => reject(new Error(`the group was not joined within ${joinTimeoutMs} ms`)),
      joinTimeoutMs,
    );
  });
  try {
    await consumer.connect();
    await consumer.subscribe({ topics, fromBeginning: true });
    await Promise.all([
      consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => undefined }),
      joined,
    ]);
    await consumer.commitOffsets(offsets.map((offset) => ({ ...offset })));
  } finally {
    clearTimeout(timer);
    // What failed before is what the caller hears of.
    await consumer.disconnect().catch(() => undefined);
  }
}
