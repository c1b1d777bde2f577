import { Partitioners, type ProducerConfig } from 'kafkajs';
import type { KafkaClient, KafkaProducer, Message } from '../ports';

/**
 * An idempotent producer that is thrown away after any failure, for messages that are sent one at a time.
 *
 * The broker may have stored a message whose answer was lost; kafkajs then takes its sequence numbers back and gives
 * them to the next message, which the broker would take for a repetition, acknowledge and drop.
 */
export class DiscardingProducer {
  #producer: Promise<KafkaProducer> | undefined;

  constructor(private readonly kafka: KafkaClient) {}

  /** Resolves when all in-sync replicas have it. The next call may come only after this one has settled. */
  async send(topic: string, message: Message): Promise<void> {
    try {
      this.#producer ??= this.#connect();
      const producer = await this.#producer;
      await producer.send({ topic, acks: -1, messages: [message] });
    } catch (error) {
      await this.discard();
      throw error;
    }
  }

  /** Closes the connection; the next message opens a new one. May be called repeatedly. */
  async discard(): Promise<void> {
    const producer = this.#producer;
    this.#producer = undefined;
    // One that never connected has nothing to close.
    await producer?.then((connected) => connected.disconnect()).catch(() => undefined);
  }

  async #connect(): Promise<KafkaProducer> {
    const producer = this.kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner,
    } satisfies ProducerConfig);
    await producer.connect();
    return producer;
  }
}
