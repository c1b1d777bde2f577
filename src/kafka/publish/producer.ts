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
import type { KafkaClient, TopicMessages } from '../ports';
import type { Logger } from '../../shared/logger';
import { sleep } from '../../shared/sleep';
import { CheckedProducer } from '../kafkajs/checkedProducer';
import { classifyError } from './classifyError';
import { type Compression, compressionType } from '../kafkajs/compression/codecs';
import { explainFailure } from '../connection/explain';
import type { TopicSettings } from '../topics/declaredTopics';
import { errorTypes } from '../errorTypes';
import { encodeFast } from '../kafkajs/fastEncoding';
import type { OutgoingMessage } from '../messages/message';
import type { Publisher, SendOutcome } from './publisher';
import type { SendFailure } from '../sendFailure';
import { TopicBoard } from '../topics/topicBoard';
import { nameFailedTopics, topicErrorsOf } from '../kafkajs/topicErrors';
import { TopicReports } from '../topics/topicReports';
import { ensureTopics } from '../topics/topics';
import { troubleState, type TopicTrouble } from '../topics/topicTrouble';
import { withAdmin } from '../withAdmin';
import type { Catalogue } from '../../events/catalogue';

export interface KafkaPublisherOptions {
  /** What may be published: its topics are created or looked for. */
  readonly catalogue: Catalogue;
  readonly kafka: KafkaClient;
  readonly topics: TopicSettings;
  readonly compression: Compression;
  readonly logger: Logger;
  /** The name under which Kafka knows this program, for people. */
  readonly account?: string | undefined;
  /** Longest pause before topics in trouble are tried again, in milliseconds. */
  readonly retryMaxMs?: number;
  /** How long a topic may be unavailable before its events are held, in milliseconds. */
  readonly topicPatienceMs?: number;
}

/** How long brokers may wait for replicas, in milliseconds; below kafkajs's own request time-out. */
export const acknowledgeTimeoutMs = 4_000;
/** Longest wait for a broker that does not answer, when disconnecting, in milliseconds. */
const disconnectTimeoutMs = 2_000;
/** Leaders move within this time when brokers restart, in milliseconds. */
const topicPatienceMs = 10_000;

export class KafkaPublisher implements Publisher {
  #producer: CheckedProducer | undefined;
  /** Under way for everybody who asks: two idempotent producers could send rows of one lane out of order. */
  #becomingReady: Promise<SendFailure | undefined> | undefined;
  #topicsKnown = false;
  #clusterId: string | undefined;
  #sending = false;
  #failure: SendFailure | undefined;
  readonly #compression: number;
  readonly #board: TopicBoard;
  readonly #reports: TopicReports;

  /** @throws UserError when this version of Node cannot write the compression. */
  constructor(private readonly options: KafkaPublisherOptions) {
    encodeFast();
    this.#compression = compressionType(options.compression);
    nameFailedTopics();
    this.#board = new TopicBoard({
      retryMaxMs: options.retryMaxMs ?? 30_000,
      patienceMs: options.topicPatienceMs ?? topicPatienceMs,
    });
    this.#reports = new TopicReports(options);
  }

  get topicTroubles(): ReadonlyMap<string, TopicTrouble> {
    return this.#board.troubles;
  }

  /** The name under which Kafka knows this program, if we know it. */
  get account(): string | undefined {
    return this.options.account;
  }

  /** The cluster to which it is connected, or was last. */
  get clusterId(): string | undefined {
    return this.#clusterId;
  }

  isProven(topic: string): boolean {
    return this.#board.isProven(topic);
  }

  isOutage(topic: string): boolean {
    return this.#board.isOutage(topic);
  }

  /** Whether the last exchange with Kafka succeeded. */
  get connected(): boolean {
    return this.#producer !== undefined;
  }

  /** Why it is not connected, in words for people. */
  get failure(): string | undefined {
    return this.#failure?.kind === 'poison' ? undefined : this.#failure?.words;
  }

  /** Connects if need be, and creates or looks for the topics. Resolves to the failure if it could not. */
  ready(): Promise<SendFailure | undefined> {
    this.#becomingReady ??= this.#becomeReady().finally(() => (this.#becomingReady = undefined));
    return this.#becomingReady;
  }

  /** Creates missing topics or finds out which are. Rejects when Kafka cannot be asked. */
  async checkTopics(): Promise<void> {
    const { kafka, catalogue, topics, logger } = this.options;
    const { created, troubles } = await ensureTopics(kafka, catalogue, topics);
    if (created.length > 0) logger.info({ topics: created }, 'created topics');
    this.#board.replace(troubles);
    this.#topicsKnown = true;
    this.#reports.report(this.#board.troubles.values());
  }

  /** Has topics in trouble tried again, when it is time. Resolves to the failure when Kafka cannot be asked. */
  async retryTopics(): Promise<SendFailure | undefined> {
    if (!this.#board.takeRetry()) return undefined;
    try {
      await this.checkTopics();
      return undefined;
    } catch (error) {
      return this.#failed(failureOf(error), error);
    }
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    if (this.#sending) throw new Error('A send is under way already');
    this.#sending = true;
    try {
      const failure = await this.ready();
      if (failure) return failure;
      // Disconnected a moment ago: then nothing was sent, and must not count as sent.
      if (!this.#producer) return { kind: 'retryable', type: 'DISCONNECTED' };
      return await this.#sendWith(this.#producer, byTopic(messages));
    } finally {
      this.#sending = false;
    }
  }

  async #sendWith(producer: CheckedProducer, topicMessages: TopicMessages[]): Promise<SendOutcome> {
    const topics = topicMessages.map(({ topic }) => topic);
    try {
      await producer.send({
        acks: -1,
        timeout: acknowledgeTimeoutMs,
        compression: this.#compression,
        topicMessages,
      });
      this.#board.acknowledge(topics);
      this.#reports.acknowledge(topics);
      return { kind: 'sent' };
    } catch (error) {
      this.#abandon();
      this.options.logger.debug({ types: errorTypes(error) }, 'a send failed');
      const failure = classifyError(error);
      if (failure.kind === 'topic') return this.#topicsFailed(error, failure.type, topics);
      return this.#failed(failure, error);
    }
  }

  /** Finds out which of the topics cannot be used; where that is not known, each will be sent by itself. */
  async #topicsFailed(error: unknown, type: string, topics: readonly string[]): Promise<SendOutcome> {
    this.#board.doubt(topics);
    const named = topicErrorsOf(error).filter(({ topic }) => topics.includes(topic));
    const culprits = named.length > 0 ? named : topics.map((topic) => ({ topic, type }));
    if (named.length === 0 && topics.length > 1) return { kind: 'topics changed', type };
    let changed = topics.length > 1;
    for (const culprit of culprits) {
      const state = troubleState(culprit.type);
      if (state === 'missing') this.#topicsKnown = false;
      else if (state) changed = this.#board.report({ ...culprit, state, operation: 'Write' }) || changed;
    }
    this.#reports.report(this.#board.troubles.values());
    if (this.#topicsKnown) return changed ? { kind: 'topics changed', type } : { kind: 'retryable', type };
    // Only the cluster knows what is missing, and what it has created meanwhile.
    const failure = await this.ready();
    if (failure) return failure;
    const found = culprits.some(({ topic }) => this.#board.troubles.has(topic));
    return found || changed ? { kind: 'topics changed', type } : { kind: 'retryable', type };
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
      return this.#failed(failureOf(error), error);
    }
  }

  #failed(failure: SendFailure, error: unknown): SendFailure {
    this.#failure = explainFailure(this.options.kafka, failure, error);
    return this.#failure;
  }

  async #connect(): Promise<CheckedProducer> {
    const { clusterId } = await withAdmin(this.options.kafka, (admin) => admin.describeCluster());
    this.#clusterId = clusterId;
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

/** What failed was not a send, so neither a message nor a single topic is at fault. */
function failureOf(error: unknown): SendFailure {
  const { kind, type } = classifyError(error);
  return { kind: kind === 'fatal' ? 'fatal' : 'retryable', type };
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
