/*
 * What a producer knows of the topics that it writes to.
 *
 * A topic's state: untried → proven (Kafka has acknowledged a message of it) → untried after a send that failed for a
 * topic; from each of them → in trouble (topicTrouble.ts) → untried when it is to be tried again.
 *
 * Kafka stores what it can of a request and refuses the rest, and what it has stored is stored twice when the request
 * is repeated. So messages of an untried topic are sent by themselves, one to begin with: what fails then is that
 * topic's trouble, and nothing else is repeated for it.
 *
 * "Unavailable" is said of every topic while leaders move. It counts as trouble when it has lasted for a while.
 */
import { backoffMs } from '../../shared/backoff';
import type { TopicTrouble } from './topicTrouble';

export interface TopicBoardOptions {
  /** Longest pause before topics in trouble are tried again, in milliseconds. */
  readonly retryMaxMs: number;
  /** How long a topic may be unavailable before that counts, in milliseconds. */
  readonly patienceMs: number;
  /** Milliseconds of a clock that is never set. */
  readonly now?: () => number;
}

const firstRetryMs = 2_000;

export class TopicBoard {
  readonly #troubles = new Map<string, TopicTrouble>();
  readonly #proven = new Set<string>();
  /** Since when Kafka cannot write to a topic. */
  readonly #unavailableSince = new Map<string, number>();
  /** Topics that were in trouble and have not been seen to work since. */
  readonly #suspects = new Set<string>();
  #acknowledgedAt = Number.NEGATIVE_INFINITY;
  #attempt = 0;
  #retryAt = Number.NEGATIVE_INFINITY;
  readonly #now: () => number;

  constructor(private readonly options: TopicBoardOptions) {
    this.#now = options.now ?? (() => performance.now());
  }

  /** By topic. */
  get troubles(): ReadonlyMap<string, TopicTrouble> {
    return this.#troubles;
  }

  isProven(topic: string): boolean {
    return this.#proven.has(topic);
  }

  /** Kafka has acknowledged messages of these topics. */
  acknowledge(topics: readonly string[]): void {
    this.#acknowledgedAt = this.#now();
    for (const topic of topics) {
      this.#proven.add(topic);
      this.#troubles.delete(topic);
      this.#unavailableSince.delete(topic);
      this.#clear(topic);
    }
  }

  /** A send of these topics failed for at least one of them. */
  doubt(topics: readonly string[]): void {
    for (const topic of topics) this.#proven.delete(topic);
  }

  /** Notes the trouble, and returns whether it counts already. */
  report(trouble: TopicTrouble): boolean {
    const { topic, state } = trouble;
    this.#proven.delete(topic);
    if (state === 'unavailable') {
      const since = this.#unavailableSince.get(topic) ?? this.#now();
      this.#unavailableSince.set(topic, since);
      if (this.#now() - since < this.options.patienceMs) return false;
    }
    this.#add(trouble);
    return true;
  }

  /** Takes over what the cluster says of all topics, and has what was found out by writing tried again. */
  replace(troubles: readonly TopicTrouble[]): void {
    const before = [...this.#troubles.values()];
    this.#troubles.clear();
    for (const trouble of troubles) this.report(trouble);
    for (const { topic, operation } of before) {
      if (operation !== 'Write' && !this.#troubles.has(topic)) this.#clear(topic);
    }
  }

  /**
   * Whether Kafka has acknowledged nothing at all since this topic became unavailable: then it is not the topic's
   * trouble but the cluster's.
   */
  isOutage(topic: string): boolean {
    const since = this.#unavailableSince.get(topic);
    return since !== undefined && this.#acknowledgedAt <= since;
  }

  /** Whether it is time to try topics in trouble again; the next time comes later. */
  takeRetry(): boolean {
    if (this.#troubles.size === 0 || this.#now() < this.#retryAt) return false;
    this.#schedule();
    return true;
  }

  #add(trouble: TopicTrouble): void {
    this.#troubles.set(trouble.topic, trouble);
    this.#suspects.add(trouble.topic);
    if (this.#now() >= this.#retryAt) this.#schedule();
  }

  #clear(topic: string): void {
    if (!this.#suspects.delete(topic) || this.#suspects.size > 0) return;
    this.#attempt = 0;
    this.#retryAt = Number.NEGATIVE_INFINITY;
  }

  #schedule(): void {
    this.#attempt += 1;
    const { retryMaxMs: maxMs } = this.options;
    this.#retryAt = this.#now() + backoffMs(this.#attempt, { initialMs: firstRetryMs, maxMs });
  }
}
