/*
 * The topics of a consumer, one by one: it reads those that it can and takes up the others when they can be read.
 *
 * What the cluster says of a topic (missing, hidden, without a leader) is asked for; that it may not be read shows only
 * when it is read, so such a topic is left out for a while after each attempt.
 */
import { backoffMs } from '../../shared/backoff';
import { sleep } from '../../shared/sleep';
import { findTroubles } from '../topics/findTroubles';
import type { GroupConsumerOptions } from './groupConsumerOptions';
import { nameFailedTopics, topicErrorsOf } from '../kafkajs/topicErrors';
import { describeTopicTrouble, type TopicTrouble, troubleState } from '../topics/topicTrouble';
import { withAdmin } from '../withAdmin';

/** A topic that Kafka does not let this consumer read. */
interface Refusal {
  readonly trouble: TopicTrouble;
  readonly attempts: number;
  /** When it is to be read again, in milliseconds of `performance.now()`. */
  readonly retryAt: number;
}

const firstRetryMs = 2_000;
const firstLookMs = 250;
/** Longest time until a topic that can be used by now is noticed, in milliseconds. */
const longestLookMs = 10_000;

export class ConsumerTopics {
  readonly #refusals = new Map<string, Refusal>();
  #troubles: readonly TopicTrouble[] = [];
  readonly #reported = new Map<string, string>();

  constructor(private readonly options: GroupConsumerOptions) {
    nameFailedTopics();
  }

  /** What cannot be read now, in sentences. */
  describe(): string[] {
    return this.#troubles.map((trouble) => describeTopicTrouble(trouble, this.options.account));
  }

  /** Resolves to the topics that can be read. Creates missing ones, if it is to. Rejects when Kafka cannot be asked. */
  async survey(): Promise<string[]> {
    const { topics, createTopics } = this.options;
    let troubles = await this.#ask();
    const missing = troubles.filter(({ state }) => state === 'missing').map(({ topic }) => topic);
    if (missing.length > 0 && createTopics) {
      await createTopics(missing);
      troubles = await this.#ask();
    }
    const named = new Set(troubles.map(({ topic }) => topic));
    const refused = [...this.#refusals.values()]
      .filter(({ trouble, retryAt }) => !named.has(trouble.topic) && performance.now() < retryAt)
      .map(({ trouble }) => trouble);
    this.#troubles = [...troubles, ...refused];
    this.#report();
    return topics.filter((topic) => !this.#troubles.some((trouble) => trouble.topic === topic));
  }

  /** Whether a session ended because single topics may not be read: the next survey leaves them out. */
  noteRefusals(error: unknown): boolean {
    const { topics, retryMaxMs } = this.options;
    const refused = topicErrorsOf(error).filter(
      ({ topic, type }) => topics.includes(topic) && troubleState(type) === 'refused',
    );
    for (const { topic, type, message } of refused) {
      const attempts = (this.#refusals.get(topic)?.attempts ?? 0) + 1;
      const pauseMs = backoffMs(attempts, {
        initialMs: firstRetryMs,
        maxMs: Math.max(firstRetryMs, retryMaxMs),
      });
      const trouble: TopicTrouble = { topic, state: 'refused', operation: 'Read', type, message };
      this.#refusals.set(topic, { trouble, attempts, retryAt: performance.now() + pauseMs });
    }
    return refused.length > 0;
  }

  /** Messages of the topic have arrived. */
  works(topic: string): void {
    if (!this.#refusals.delete(topic) || !this.#reported.delete(topic)) return;
    this.options.logger.info({ group: this.options.group, topic }, 'the topic can be read');
  }

  /** Resolves when a topic that could not be read may be read, or the signal is aborted; never when all can be. */
  async untilChanged(usable: readonly string[], signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      if (this.#troubles.length === 0) return new Promise((resolve) => onAbort(signal, resolve));
      await sleep(backoffMs(attempt, { initialMs: firstLookMs, maxMs: longestLookMs }), signal);
      const now = signal.aborted ? [] : await this.survey().catch(() => []);
      if (now.some((topic) => !usable.includes(topic))) return;
    }
  }

  #ask(): Promise<TopicTrouble[]> {
    const { kafka, topics } = this.options;
    return withAdmin(kafka, (admin) => findTroubles(admin, topics));
  }

  #report(): void {
    const { logger, group, account, onTopicTroubles } = this.options;
    onTopicTroubles?.(this.#troubles);
    for (const trouble of this.#troubles) {
      const { topic, state, operation, type } = trouble;
      const description = describeTopicTrouble(trouble, account);
      if (this.#reported.get(topic) === description) continue;
      this.#reported.set(topic, description);
      const fields = { group, topic, state, operation, error: type, account };
      logger.warn(fields, `waiting for topics: ${description} The group's other topics are read.`);
    }
    // One that may not be read may only be about to be tried again; `noteRefusals` says that it was in vain.
    for (const topic of this.#reported.keys()) {
      if (this.#refusals.has(topic) || this.#troubles.some((trouble) => trouble.topic === topic)) continue;
      this.#reported.delete(topic);
      logger.info({ group, topic }, 'the topic can be read');
    }
  }
}

function onAbort(signal: AbortSignal, resolve: () => void): void {
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
}
