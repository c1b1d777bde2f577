/** Topics of one measurement, and how much is in them. */
import type { Admin, Kafka } from 'kafkajs';
import { createKafka } from '../../src/kafka/kafkajs/client';
import { topicOf } from '../../src/kafka/topics/topicNames';
import { declaredTopics } from '../../src/kafka/topics/declaredTopics';
import { ensureTopics } from '../../src/kafka/topics/topics';
import { sleep } from '../../src/shared/sleep';
import { kafkaSettings } from './environment';
import { eventTypesUsed } from './outbox';
import { logger } from './servers';
import { catalogue } from '../../src/healthcore/catalogue';

export class Topics {
  readonly #kafka: Kafka;
  readonly #admin: Admin;
  #count = 0;

  constructor(private readonly broker: string) {
    this.#kafka = createKafka(kafkaSettings(broker, 'bench'), logger) as Kafka;
    this.#admin = this.#kafka.admin();
  }

  async connect(): Promise<void> {
    await this.#admin.connect();
  }

  async disconnect(): Promise<void> {
    await this.#admin.disconnect();
  }

  /** Creates a set of topics that nobody has written to, as Signalbox would, and resolves to their prefix. */
  async create(): Promise<string> {
    this.#count += 1;
    const prefix = `bench${this.#count}`;
    await ensureTopics(this.#kafka, catalogue, kafkaSettings(this.broker, prefix));
    await this.#untilKnown(prefix);
    return prefix;
  }

  /** A real cluster answers for new topics only when their leaders have heard of them. */
  async #untilKnown(prefix: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.size(prefix);
        return;
      } catch (error) {
        if (attempt === 100) throw error;
        await sleep(100);
      }
    }
  }

  async remove(prefix: string): Promise<void> {
    await this.#admin.deleteTopics({ topics: declaredTopics(catalogue, prefix) });
  }

  /** How many messages there are. */
  async size(prefix: string): Promise<number> {
    const topics = eventTypesUsed.map((type) => topicOf(prefix, type));
    const partitions = await Promise.all(topics.map((topic) => this.#admin.fetchTopicOffsets(topic)));
    return partitions.flat().reduce((sum, { offset }) => sum + Number(offset), 0);
  }
}
