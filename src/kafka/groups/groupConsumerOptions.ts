import type { KafkaClient } from '../ports';
import type { Logger } from '../../shared/logger';
import type { UnreadablePlace } from '../kafkajs/fetch/unreadablePartitions';
import type { Positions } from './positions';
import type { ReceivedMessage } from '../messages/readMessage';
import type { PartitionLag } from './partitionLag';
import type { TopicTrouble } from '../topics/topicTrouble';
import type { HandleTogether, Verdict } from './workBatch';

export interface GroupConsumerOptions {
  readonly kafka: KafkaClient;
  readonly group: string;
  readonly topics: readonly string[];
  /** Deals with one message. One that throws is offered again. The signal is aborted when the consumer stops. */
  readonly handle: (message: ReceivedMessage, signal: AbortSignal) => Promise<Verdict>;
  /** Where dealing with successive messages of a partition in one go is cheaper: tried before `handle`. */
  readonly together?: HandleTogether;
  readonly logger: Logger;
  /** Where a partition begins of which the group has committed nothing. */
  readonly fromBeginning: boolean;
  /** How long a silent member keeps its partitions, in milliseconds. */
  readonly sessionTimeoutMs: number;
  /** How many partitions are worked on at a time. */
  readonly partitionsAtOnce: number;
  /** Longest pause between two attempts to reach Kafka, in milliseconds. */
  readonly retryMaxMs: number;
  /** Longest time that processed offsets stay uncommitted within a batch, in milliseconds. */
  readonly commitIntervalMs?: number;
  /** False: the group's offsets are neither read nor written; `positions` says where to read. */
  readonly commit?: boolean;
  /** Where to begin instead of at the committed offsets. */
  readonly positions?: Positions;
  /** Called when topics are missing, to create them; without it the consumer waits for them. */
  readonly createTopics?: (missing: readonly string[]) => Promise<void>;
  /** The name under which Kafka knows this program, for people. */
  readonly account?: string | undefined;
  /** Called with all topics that cannot be read, whenever they were looked at. */
  readonly onTopicTroubles?: (troubles: readonly TopicTrouble[]) => void;
  /** Called before, during and after each batch, and every few seconds while nothing comes. */
  readonly onLag?: (lag: PartitionLag) => void;
  /** Called when a partition has come to a batch that cannot be read; it waits there. */
  readonly onUnreadable?: (place: UnreadablePlace) => void;
  readonly onAssigned?: (partitions: Readonly<Record<string, readonly number[]>>) => void;
}
