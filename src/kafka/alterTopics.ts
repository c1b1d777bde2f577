import { type Admin, ConfigResourceTypes } from 'kafkajs';
import type { TopicState } from './topicStates';

/**
 * Changes settings of a topic and leaves its others as they are. The request that kafkajs knows replaces all that a
 * topic has of its own, so those are sent along as they were read; whoever changes the same topic in between loses.
 */
export async function alterSettings(
  admin: Admin,
  { topic, settings }: TopicState,
  changes: ReadonlyMap<string, string>,
): Promise<void> {
  const own = [...settings].filter(([, { own }]) => own).map(([name, { value }]) => [name, value] as const);
  const wanted = new Map([...own, ...changes]);
  await admin.alterConfigs({
    validateOnly: false,
    resources: [
      {
        type: ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: [...wanted].map(([name, value]) => ({ name, value })),
      },
    ],
  });
}

/** Gives a topic more partitions; keys move to other partitions by it. */
export async function addPartitions(admin: Admin, topic: string, count: number): Promise<void> {
  await admin.createPartitions({ topicPartitions: [{ topic, count }] });
}
