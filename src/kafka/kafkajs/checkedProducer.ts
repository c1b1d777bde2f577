/*
 * A kafkajs producer that does not take kafkajs's word for it.
 *
 * kafkajs 2.2.4 resolves a send of which some messages never left, in two cases: leaders on two brokers get a request
 * each, one fails, and what its retry finds led by the broker that has answered already is left out; and a partition
 * that the metadata do not list is left out. So the partitioner, which is asked for each message, notes where it goes,
 * and the answer has to name all of these partitions. Within one send the messages of a partition travel together;
 * that only holds while a retry chooses the same partitions, so one that chooses another (some were added) counts as
 * failed, too.
 */
import type { ICustomPartitioner, ProducerConfig } from 'kafkajs';
import type { Batch, KafkaClient, KafkaProducer, Message, PartitionAnswer } from '../ports';
import { keyPartitioner } from './keyPartitioner';

/** How the relay's producer is made; the benchmark's baseline is made alike. */
export const producerSettings = {
  idempotent: true,
  maxInFlightRequests: 1,
  allowAutoTopicCreation: false,
  createPartitioner: keyPartitioner,
  retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 200 },
} satisfies ProducerConfig;

/** Nobody knows whether all of the messages are in Kafka. */
class Unacknowledged extends Error {
  override readonly name = 'Unacknowledged';
}

export class CheckedProducer {
  readonly #producer: KafkaProducer;
  readonly #partitionOf = new Map<Message, number>();
  readonly #partitions = new Map<string, Set<number>>();
  #changed = false;

  constructor(kafka: KafkaClient) {
    this.#producer = kafka.producer({ ...producerSettings, createPartitioner: () => this.#choose });
  }

  connect(): Promise<void> {
    return this.#producer.connect();
  }

  disconnect(): Promise<void> {
    return this.#producer.disconnect();
  }

  /** Resolves when each of the messages is acknowledged. One send at a time. */
  async send(batch: Batch): Promise<void> {
    this.#partitionOf.clear();
    this.#partitions.clear();
    this.#changed = false;
    const answer = await this.#producer.sendBatch(batch);
    if (this.#changed || !this.#areNamedBy(answer)) {
      throw new Unacknowledged('Kafka has not acknowledged all partitions of a send');
    }
  }

  readonly #choose: ReturnType<ICustomPartitioner> = (args) => {
    const { topic, message } = args;
    const partition = choose(args);
    const before = this.#partitionOf.get(message);
    if (before === partition) return partition;
    this.#changed ||= before !== undefined;
    this.#partitionOf.set(message, partition);
    const known = this.#partitions.get(topic);
    if (known) known.add(partition);
    else this.#partitions.set(topic, new Set([partition]));
    return partition;
  };

  #areNamedBy(answer: readonly PartitionAnswer[]): boolean {
    const missing = new Map([...this.#partitions].map(([topic, list]) => [topic, new Set(list)]));
    for (const { topicName, partition } of answer) missing.get(topicName)?.delete(partition);
    return [...missing.values()].every(({ size }) => size === 0);
  }
}

const choose = keyPartitioner();
