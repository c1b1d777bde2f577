/*
 * Kafka as this package uses it, in plain types. A client of kafkajs is one (kafkajs/client.ts makes it); nothing outside
 * that folder knows kafkajs.
 */

/** Values of one name in their order, where a message has several of it. */
export type Headers = Record<string, Buffer | string | (Buffer | string)[] | undefined>;

/** A message to be sent. */
export interface Message {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly headers?: Headers;
  /** Milliseconds since 1970, as a decimal string. */
  readonly timestamp?: string;
}

/** A place in a topic. */
export interface Partition {
  readonly topic: string;
  readonly partition: number;
}

export interface KafkaClient {
  admin(config?: object): KafkaAdmin;
  producer(config?: object): KafkaProducer;
  consumer(config: object): KafkaMember;
  logger(): { debug(message: string, extra?: object): void };
}

export interface KafkaProducer {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  send(record: { topic: string; acks?: number; messages: Message[] }): Promise<readonly PartitionAnswer[]>;
  sendBatch(batch: Batch): Promise<readonly PartitionAnswer[]>;
}

/** What Kafka answers of one partition that was written to. */
export interface PartitionAnswer {
  readonly topicName: string;
  readonly partition: number;
}

/** Messages that travel in one request. */
export interface Batch {
  readonly acks?: number;
  /** How long brokers may wait for replicas, in milliseconds. */
  readonly timeout?: number;
  /** Kafka's number of the codec. */
  readonly compression?: number;
  readonly topicMessages?: TopicMessages[];
}

export interface TopicMessages {
  readonly topic: string;
  readonly messages: Message[];
}

/** A member of a consumer group. */
export interface KafkaMember {
  readonly events: { readonly GROUP_JOIN: 'consumer.group_join'; readonly CRASH: 'consumer.crash' };
  on(event: 'consumer.group_join', listener: (event: Joined) => void): unknown;
  on(event: 'consumer.crash', listener: (event: Crashed) => void): unknown;
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  subscribe(subscription: { topics: string[]; fromBeginning?: boolean }): Promise<void>;
  run(config: {
    autoCommit: boolean;
    eachBatchAutoResolve: boolean;
    partitionsConsumedConcurrently?: number;
    eachBatch: (payload: EachBatch) => Promise<void>;
  }): Promise<void>;
  seek(to: Partition & { readonly offset: string }): void;
  pause(topics: { topic: string; partitions?: number[] }[]): void;
  commitOffsets(offsets: (Partition & { offset: string })[]): Promise<void>;
}

interface Joined {
  /** Partitions by topic. */
  readonly payload: { readonly memberAssignment: Record<string, number[]> };
}

interface Crashed {
  readonly payload: { readonly error: Error };
}

/** What a member has fetched of one partition, and what may be said of it. */
export interface EachBatch {
  readonly batch: FetchedBatch;
  resolveOffset(offset: string): void;
  heartbeat(): Promise<void>;
  /** Stops fetching this partition; what it returns goes on. */
  pause(): () => void;
  commitOffsetsIfNecessary(offsets?: object): Promise<void>;
  uncommittedOffsets(): object;
  isRunning(): boolean;
  isStale(): boolean;
}

export interface FetchedBatch extends Partition {
  readonly highWatermark: string;
  readonly messages: FetchedMessage[];
  firstOffset(): string | null;
}

export interface FetchedMessage {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: Headers;
}

/** Kafka's number of a resource that is a topic. */
export const topicResource = 2;
/** Kafka's number of the source of a setting that the topic itself has. */
export const setForTopic = 1;

export interface KafkaAdmin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  listTopics(): Promise<string[]>;
  createTopics(request: { waitForLeaders?: boolean; topics: NewTopic[] }): Promise<boolean>;
  createPartitions(request: { topicPartitions: { topic: string; count: number }[] }): Promise<boolean>;
  fetchTopicMetadata(request?: { topics: string[] }): Promise<{ topics: TopicMetadata[] }>;
  fetchTopicOffsets(topic: string): Promise<(OffsetOfPartition & { high: string; low: string })[]>;
  fetchTopicOffsetsByTimestamp(topic: string, timestamp?: number): Promise<OffsetOfPartition[]>;
  describeCluster(): Promise<{
    brokers: { nodeId: number; host: string; port: number }[];
    controller: number | null;
    clusterId: string;
  }>;
  describeConfigs(request: {
    resources: { type: number; name: string; configNames?: string[] }[];
    includeSynonyms: boolean;
  }): Promise<{ resources: { resourceName: string; configEntries: Setting[] }[] }>;
  alterConfigs(request: {
    validateOnly: boolean;
    resources: { type: number; name: string; configEntries: { name: string; value: string }[] }[];
  }): Promise<unknown>;
  listGroups(): Promise<{ groups: { groupId: string; protocolType: string }[] }>;
  describeGroups(groups: string[]): Promise<{ groups: DescribedGroup[] }>;
  deleteGroups(groups: string[]): Promise<unknown>;
  fetchOffsets(request: {
    groupId: string;
    topics?: string[];
  }): Promise<{ topic: string; partitions: OffsetOfPartition[] }[]>;
}

interface NewTopic {
  topic: string;
  numPartitions?: number;
  replicationFactor?: number;
  configEntries?: { name: string; value: string }[];
}

export interface TopicMetadata {
  readonly name: string;
  readonly partitions: {
    partitionId: number;
    leader: number;
    replicas: number[];
    isr: number[];
  }[];
}

interface OffsetOfPartition {
  readonly partition: number;
  readonly offset: string;
}

interface Setting {
  readonly configName: string;
  readonly configValue: string;
  readonly configSource: number;
}

interface DescribedGroup {
  readonly groupId: string;
  readonly state: string;
  readonly members: {
    memberId: string;
    clientId: string;
    clientHost: string;
    memberAssignment: Buffer;
  }[];
}
