import { type KafkaAdmin, topicResource } from '../ports';
import { sleep } from '../../shared/sleep';
import { type TopicState, topicStates } from './topicStates';

/** How long a cluster may take to show what it has accepted. */
const shownWithinMs = 15_000;

/**
 * Changes settings of a topic and leaves its others as they are. The request that kafkajs knows replaces all that a
 * topic has of its own, so those are sent along as they were read; whoever changes the same topic in between loses.
 * Resolves when the cluster shows the change: until then the next change would put the old values back.
 */
export async function alterSettings(
  admin: KafkaAdmin,
  { topic, settings }: TopicState,
  changes: ReadonlyMap<string, string>,
): Promise<void> {
  const own = [...settings].filter(([, { own }]) => own).map(([name, { value }]) => [name, value] as const);
  const wanted = new Map([...own, ...changes]);
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: topicResource,
        name: topic,
        configEntries: [...wanted].map(([name, value]) => ({ name, value })),
      },
    ],
  });
  await untilShown(admin, topic, ({ settings: now }) =>
    [...changes].every(([name, value]) => now.get(name)?.value === value),
  );
}

/** Gives a topic more partitions; keys move to other partitions by it. */
export async function addPartitions(admin: KafkaAdmin, topic: string, count: number): Promise<void> {
  await admin.createPartitions({ topicPartitions: [{ topic, count }] });
  await untilShown(admin, topic, ({ partitions }) => partitions.length === count);
}

/** A cluster answers when its controller has accepted a change; the other brokers hear of it a moment later. */
async function untilShown(
  admin: KafkaAdmin,
  topic: string,
  isShown: (state: TopicState) => boolean,
): Promise<void> {
  for (const end = Date.now() + shownWithinMs; ; await sleep(50)) {
    const state = (await topicStates(admin, [topic])).get(topic);
    if (state && isShown(state)) return;
    if (Date.now() >= end)
      throw new Error(
        `Kafka accepted the change of ${topic} and does not show it after ${shownWithinMs / 1000} s; look again with: npx signalbox ops topics list`,
      );
  }
}
