/*
 * A member of a consumer group that keeps going, around kafkajs, which does not.
 *
 * States: stopped → connecting → waiting for topics → joining → running; from each of them → retrying → connecting
 * when something fails, and → stopped. Running, it reads those of its topics that can be read (consumerTopics.ts), and
 * joins anew when others can be.
 *
 * - Whatever ends a session (no broker, a topic that may not be read, a crash inside kafkajs) starts another one after a
 *   capped back-off. Only what waiting cannot mend (credentials, the right to the group) ends the service: `failed`
 *   rejects.
 * - Partitions run side by side, the messages of one in order. An offset is resolved only after its message's verdict
 *   "done"; a verdict "again" pauses that partition alone, and the message is fetched anew after the pause. So no
 *   message is skipped, and one that has to wait holds up nothing but its own partition.
 * - Messages that are handled together are done together or not at all; their last offset is resolved for all of them.
 * - kafkajs fetches again only when all batches of a fetch have been worked through: while a handler takes long, other
 *   partitions of the same broker get no new messages. That is why waiting is never done inside a handler.
 * - A batch that cannot be read pauses its partition alone, after everything before it was handled.
 * - `stop` ends at the message in hand, commits, leaves the group.
 */
import type { EachBatch, KafkaMember } from '../ports';
import { backoffMs } from '../../shared/backoff';
import { type Service, UserError } from '../../shared/lifecycle';
import { sleep } from '../../shared/sleep';
import { explain, type Explanation } from '../connection/explain';
import { ConsumerTopics } from './consumerTopics';
import { createMember, heartbeatIntervalMs } from './createMember';
import { UnreadablePartitions } from '../kafkajs/fetch/unreadablePartitions';
import type { GroupConsumerOptions } from './groupConsumerOptions';
import { GroupWatch } from './groupWatch';
import { guardedTogether } from './guardedTogether';
import { partitionKey, type ReceivedMessage } from '../messages/readMessage';
import { BatchProgress } from './partitionLag';
import { type Verdict, workBatch } from './workBatch';

export type ConsumerState =
  'stopped' | 'connecting' | 'waiting for topics' | 'joining' | 'running' | 'retrying';

const firstRetryMs = 250;
/** Longest time to leave the group once the last message is done; a broker that does not answer must not hold us. */
const leaveTimeoutMs = 3_000;

export class GroupConsumer implements Service {
  readonly name: string;
  /** Rejects with a UserError when only an operator can help. */
  readonly failed: Promise<never>;
  #fail: (error: UserError) => void = () => undefined;
  #state: { state: ConsumerState; detail?: string } = { state: 'stopped' };
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #inHand = 0;
  readonly #resumptions = new Set<NodeJS.Timeout>();
  readonly #unreadable: UnreadablePartitions;
  readonly #topics: ConsumerTopics;
  readonly #watch: GroupWatch;

  constructor(private readonly options: GroupConsumerOptions) {
    this.#topics = new ConsumerTopics(options);
    this.#watch = new GroupWatch(options);
    this.name = `consumer ${options.group}`;
    this.#unreadable = new UnreadablePartitions(options);
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // Nobody may be listening when there is nobody to tell.
    this.failed.catch(() => undefined);
  }

  get group(): string {
    return this.options.group;
  }

  status(): { state: ConsumerState; detail?: string } {
    return this.#state;
  }

  /** Partitions that wait before a batch that cannot be read: a line for each. */
  unreadable(): string[] {
    return this.#unreadable.list();
  }

  /** Milliseconds since Kafka last answered this member; 0 while it is not in its group. */
  silentMs(): number {
    return this.#watch.silentMs;
  }

  /** Why some of its topics are not read, in sentences; empty when all are. */
  topicTroubles(): string[] {
    return this.#topics.describe();
  }

  /** Returns at once; Kafka may be away. */
  async start(): Promise<void> {
    if (this.#running) return;
    this.#stopping = new AbortController();
    this.#running = this.#keepGoing(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = undefined;
    this.#state = { state: 'stopped' };
  }

  async #keepGoing(signal: AbortSignal): Promise<void> {
    const stopped = new Promise<'stopped'>((resolve) => {
      signal.addEventListener('abort', () => resolve('stopped'), { once: true });
    });
    let attempt = 0;
    while (!signal.aborted) {
      try {
        await this.#session(signal, stopped, () => (attempt = 0));
      } catch (error) {
        const reason = explain(this.options.kafka, error);
        if (reason.fatal) {
          this.#state = { state: 'stopped', detail: `Kafka: ${reason.words}` };
          const message = `Kafka cannot be used by the group "${this.options.group}": ${reason.words}.`;
          this.#fail(new UserError(message, { cause: error }));
          return;
        }
        if (this.#topics.noteRefusals(error)) continue;
        attempt += 1;
        await this.#backOff(attempt, reason, signal);
      }
    }
  }

  async #backOff(attempt: number, { type, words }: Explanation, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { group, logger, retryMaxMs } = this.options;
    const afterMs = backoffMs(attempt, { initialMs: firstRetryMs, maxMs: retryMaxMs });
    this.#state = { state: 'retrying', detail: `Kafka: ${words}` };
    logger.warn({ group, error: type, afterMs }, `Kafka cannot be used: ${words}; trying again`);
    await sleep(afterMs, signal);
  }

  /**
   * From connecting to the end of this membership: resolves when stopped, and when there is more to read than it began
   * with; rejects when it broke.
   */
  async #session(signal: AbortSignal, stopped: Promise<'stopped'>, onJoined: () => void): Promise<void> {
    this.#state = { state: 'connecting' };
    const topics = await Promise.race([this.#topics.survey(), stopped]);
    if (topics === 'stopped') return;
    const over = new AbortController();
    const ended = AbortSignal.any([signal, over.signal]);
    const changed = this.#topics.untilChanged(topics, ended);
    try {
      if (topics.length > 0)
        await this.#membership(
          topics,
          signal,
          onJoined,
          Promise.race([stopped, changed, this.#watch.untilGrown(topics, ended)]),
        );
      else {
        this.#state = { state: 'waiting for topics', detail: this.#topics.describe().join(' ') };
        await changed;
      }
    } finally {
      over.abort();
    }
  }

  async #membership(
    topics: readonly string[],
    signal: AbortSignal,
    onJoined: () => void,
    over: Promise<unknown>,
  ): Promise<void> {
    this.#state = { state: 'joining' };
    const consumer = createMember(this.options);
    const crashed = new Promise<never>((_resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
    });
    const begun = this.#run(consumer, topics, signal, onJoined);
    try {
      await Promise.race([begun, crashed, over]);
      await Promise.race([crashed, over]);
    } finally {
      await this.#leave(consumer, begun);
    }
  }

  async #run(
    consumer: KafkaMember,
    topics: readonly string[],
    signal: AbortSignal,
    onJoined: () => void,
  ): Promise<void> {
    const { fromBeginning, partitionsAtOnce } = this.options;
    const membership: { lost?: unknown } = {};
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      delete membership.lost;
      this.#assigned(consumer, payload.memberAssignment);
      onJoined();
    });
    await consumer.connect();
    if (signal.aborted) return;
    await consumer.subscribe({ topics: [...topics], fromBeginning });
    if (signal.aborted) return;
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      partitionsConsumedConcurrently: partitionsAtOnce,
      eachBatch: (payload) => this.#eachBatch(payload, membership),
    });
  }

  /** Called by kafkajs before it fetches anything, so that a seek here takes effect. */
  #assigned(consumer: KafkaMember, assignment: Record<string, number[]>): void {
    this.#state = { state: 'running' };
    this.#unreadable.forget();
    this.#watch.assigned(assignment);
    this.options.logger.info({ group: this.options.group, assignment }, 'joined the group');
    const { positions, commit = true } = this.options;
    for (const [topic, partitions] of Object.entries(assignment)) {
      for (const partition of partitions) {
        const offset = positions?.take({ topic, partition }, commit);
        if (offset !== undefined) consumer.seek({ topic, partition, offset });
      }
    }
    this.options.onAssigned?.(assignment);
  }

  async #eachBatch(payload: EachBatch, membership: { lost?: unknown }): Promise<void> {
    const { commit = true, commitIntervalMs = 1_000 } = this.options;
    const { batch } = payload;
    this.#topics.works(batch.topic);
    const unreadable = this.#unreadable.take(payload);
    const first = BigInt(batch.messages[0]?.offset ?? unreadable?.from ?? batch.firstOffset() ?? 0);
    const progress = new BatchProgress(batch, first, this.options.onLag);
    const passed = ({ offset }: Pick<ReceivedMessage, 'offset'>): void => {
      progress.passed(BigInt(offset) + 1n);
      this.#watch.passed(batch, progress.next);
    };
    this.#inHand += 1;
    try {
      const verdict = await workBatch(payload, {
        handle: async (message) => {
          const verdict = await this.#handle(message);
          if (verdict.kind === 'done') passed(message);
          return verdict;
        },
        together: guardedTogether(this.options, passed),
        isStopping: () => this.#stopping.signal.aborted,
        commit,
        commitIntervalMs,
        heartbeatIntervalMs,
        membership,
      });
      if (verdict.kind === 'again') this.#pause(payload, verdict.afterMs);
      else if (unreadable && progress.next > unreadable.before)
        this.#pause(payload, this.#unreadable.report(unreadable));
    } finally {
      this.#inHand -= 1;
      progress.report();
    }
  }

  async #handle(message: ReceivedMessage): Promise<Verdict> {
    try {
      const verdict = await this.options.handle(message, this.#stopping.signal);
      if (verdict.kind === 'done' && this.options.commit === false) this.options.positions?.passed(message);
      return verdict;
    } catch (error) {
      this.options.logger.error(
        { err: error, partition: partitionKey(message) },
        'a message could not be handled',
      );
      return { kind: 'again', afterMs: this.options.retryMaxMs };
    }
  }

  #pause(payload: EachBatch, afterMs: number): void {
    const resume = payload.pause();
    const timer = setTimeout(() => {
      this.#resumptions.delete(timer);
      resume();
    }, afterMs);
    this.#resumptions.add(timer);
  }

  async #leave(consumer: KafkaMember, begun: Promise<void>): Promise<void> {
    for (const timer of this.#resumptions) clearTimeout(timer);
    this.#resumptions.clear();
    const tooLate = new AbortController();
    // A kafkajs consumer that is disconnected while it joins would go on to run: it is disconnected again after that.
    const joined = begun.catch(() => undefined);
    const left = consumer
      .disconnect()
      .then(() => joined)
      .then(() => consumer.disconnect())
      .catch((error: unknown) => {
        this.options.logger.debug({ err: error }, 'leaving the group failed');
      });
    await Promise.race([left, this.#idle(tooLate.signal).then(() => sleep(leaveTimeoutMs, tooLate.signal))]);
    tooLate.abort();
  }

  async #idle(signal: AbortSignal): Promise<void> {
    while (this.#inHand > 0 && !signal.aborted) await sleep(20, signal);
  }
}
