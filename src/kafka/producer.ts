/*
 * The relay's way to Kafka: an idempotent kafkajs producer that is thrown away after any failure.
 *
 * kafkajs takes its sequence numbers back when a send fails. The broker may have stored the messages all the same
 * (the answer was lost, or another partition of the same request was refused); given to other messages, the numbers
 * would make the broker take those for repetitions, acknowledge and drop them: a silent loss. A new producer has a new
 * producer id and starts at 0, so the worst is a repetition. For the same reason there is never more than one send
 * under way. kafkajs insists on one retry of its own for idempotent producers; that one repeats the same messages
 * under the same numbers, which is what the numbers are for.
 *
 * States: away → ready (connected, topics known) → away after a failure. Nothing here waits or repeats: the relay's
 * loop backs off and comes again.
 */
import type { CompressionTypes, Kafka, TopicMessages } from 'kafkajs';
import type { Logger } from '../shared/logger';
import { sleep } from '../shared/sleep';
import { CheckedProducer } from './checkedProducer';
import { classifyError } from './classifyError';
import { type Compression, compressionType } from './compression/codecs';
import { errorTypes } from './errorTypes';
import { encodeFast } from './fastEncoding';
import type { OutgoingMessage } from './message';
import type { Publisher, SendFailure, SendOutcome } from './publisher';
import type { TopicSettings } from './declaredTopics';
import { ensureTopics } from './topics';

export interface KafkaPublisherOptions {
  readonly kafka: Kafka;
  readonly topics: TopicSettings;
  readonly compression: Compression;
  readonly logger: Logger;
}

/** How long brokers may wait for replicas, in milliseconds; below kafkajs's own request time-out. */
const acknowledgeTimeoutMs = 10_000;
/** Longest wait for a broker that does not answer, when disconnecting, in milliseconds. */
const disconnectTimeoutMs = 2_000;

export class KafkaPublisher implements Publisher {
  #producer: CheckedProducer | undefined;
  /** Under way for everybody who asks: two idempotent producers could send rows of one lane out of order. */
  #becomingReady: Promise<SendFailure | undefined> | undefined;
  #topicsKnown = false;
  #missing: ReadonlySet<string> = new Set();
  #sending = false;
  readonly #compression: CompressionTypes;

  /** @throws UserError when this version of Node cannot write the compression. */
  constructor(private readonly options: KafkaPublisherOptions) {
    encodeFast();
    this.#compression = compressionType(options.compression);
  }

  get missingTopics(): ReadonlySet<string> {
    return this.#missing;
  }

  /** Whether the last exchange with Kafka succeeded. */
  get connected(): boolean {
    return this.#producer !== undefined;
  }

  /** Connects if need be, and creates or looks for the topics. Resolves to the failure if it could not. */
  ready(): Promise<SendFailure | undefined> {
    this.#becomingReady ??= this.#becomeReady().finally(() => (this.#becomingReady = undefined));
    return this.#becomingReady;
  }

  /** Creates missing topics or finds out which are. Rejects when Kafka cannot be asked. */
  async checkTopics(): Promise<void> {
    const { kafka, topics, logger } = this.options;
    const { created, missing } = await ensureTopics(kafka, topics);
    if (created.length > 0) logger.info({ topics: created }, 'created topics');
    if (missing.length > 0) {
      const hint = 'their events are held back; create them, or set KAFKA_CREATE_TOPICS=true';
      logger.warn({ topics: missing }, `topics are missing in Kafka: ${hint}`);
    }
    this.#missing = new Set(missing);
    this.#topicsKnown = true;
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    if (this.#sending) throw new Error('A send is under way already');
    this.#sending = true;
    try {
      const failure = await this.ready();
      if (failure) return failure;
      // Disconnected a moment ago: then nothing was sent, and must not count as sent.
      if (!this.#producer) return { kind: 'retryable', type: 'DISCONNECTED' };
      await this.#producer.send({
        acks: -1,
        timeout: acknowledgeTimeoutMs,
        compression: this.#compression,
        topicMessages: byTopic(messages),
      });
      return { kind: 'sent' };
    } catch (error) {
      this.#abandon();
      if (errorTypes(error).includes('UNKNOWN_TOPIC_OR_PARTITION')) this.#topicsKnown = false;
      this.options.logger.debug({ types: errorTypes(error) }, 'a send failed');
      return classifyError(error);
    } finally {
      this.#sending = false;
    }
  }

  /** Closes the connection; gives up after a moment. May be called repeatedly. */
  async disconnect(): Promise<void> {
    // One that is being made is closed when it stands; nobody waits for that.
    void this.#becomingReady?.then(() => this.#abandon());
    const producer = this.#producer;
    this.#producer = undefined;
    if (!producer) return;
    const enough = new AbortController();
    await Promise.race([
      producer.disconnect().catch(() => undefined),
      sleep(disconnectTimeoutMs, enough.signal),
    ]);
    enough.abort();
  }

  async #becomeReady(): Promise<SendFailure | undefined> {
    try {
      if (!this.#topicsKnown) await this.checkTopics();
      this.#producer ??= await this.#connect();
      return undefined;
    } catch (error) {
      return classifyError(error);
    }
  }

  async #connect(): Promise<CheckedProducer> {
    const producer = new CheckedProducer(this.options.kafka);
    try {
      await producer.connect();
    } catch (error) {
      void producer.disconnect().catch(() => undefined);
      throw error;
    }
    return producer;
  }

  /** Nobody waits for the old one: a broker that does not answer would hold us up. */
  #abandon(): void {
    const producer = this.#producer;
    this.#producer = undefined;
    void producer?.disconnect().catch(() => undefined);
  }
}

/** The messages as kafkajs takes them, those of a topic in their order. */
export function byTopic(messages: readonly OutgoingMessage[]): TopicMessages[] {
  const topics = new Map<string, OutgoingMessage[]>();
  for (const message of messages) {
    const known = topics.get(message.topic);
    if (known) known.push(message);
    else topics.set(message.topic, [message]);
  }
  return [...topics].map(([topic, list]) => ({ topic, messages: list }));
}
