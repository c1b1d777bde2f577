import { type KafkaAdmin, setForTopic, topicResource } from '../ports';

/** A topic as the cluster has it. */
export interface TopicState {
  readonly topic: string;
  readonly partitions: readonly PartitionState[];
  readonly settings: ReadonlyMap<string, SettingState>;
}

export interface PartitionState {
  readonly partition: number;
  readonly leader: number;
  readonly replicas: readonly number[];
  readonly inSync: readonly number[];
}

export interface SettingState {
  readonly value: string;
  /** Set for this topic, not taken from the brokers. */
  readonly own: boolean;
}

/** Those of the topics that the cluster has, by name. */
export async function topicStates(
  admin: KafkaAdmin,
  names: readonly string[],
): Promise<Map<string, TopicState>> {
  const existing = new Set(await admin.listTopics());
  const topics = names.filter((name) => existing.has(name));
  if (topics.length === 0) return new Map();
  const metadata = await admin.fetchTopicMetadata({ topics });
  const settings = await readSettings(admin, topics);
  return new Map(
    metadata.topics.map(({ name, partitions }) => [
      name,
      {
        topic: name,
        partitions: partitions
          .map(({ partitionId, leader, replicas, isr }) => ({
            partition: partitionId,
            leader,
            replicas,
            inSync: isr,
          }))
          .sort((a, b) => a.partition - b.partition),
        settings: settings.get(name) ?? new Map<string, SettingState>(),
      },
    ]),
  );
}

async function readSettings(
  admin: KafkaAdmin,
  topics: readonly string[],
): Promise<Map<string, Map<string, SettingState>>> {
  const { resources } = await admin.describeConfigs({
    resources: topics.map((name) => ({ type: topicResource, name })),
    includeSynonyms: false,
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      new Map(
        configEntries.map(({ configName, configValue, configSource }) => [
          configName,
          { value: configValue, own: configSource === setForTopic },
        ]),
      ),
    ]),
  );
}
