import { partitionKey, type ReceivedMessage } from '../kafka/messages/readMessage';
import type { Failure, History } from './failurePolicy';

/** What is known of a message that failed and is offered again. */
export interface Attempts extends History {
  /** Why it is to become a dead letter, once it has been given up; its handler is not run again. */
  readonly givenUp?: Failure;
}

const none: Attempts = { attempts: 0, outages: 0 };

/**
 * The attempts at the message in which each partition is stuck; there is at most one. In memory: a consumer that
 * starts anew counts anew.
 */
export class AttemptsByPartition {
  readonly #stuck = new Map<string, { offset: string; attempts: Attempts }>();

  of(message: ReceivedMessage): Attempts {
    const entry = this.#stuck.get(partitionKey(message));
    return entry?.offset === message.offset ? entry.attempts : none;
  }

  /** Whether this message failed before, be it in a transaction that it shared with others. */
  knows(message: ReceivedMessage): boolean {
    return this.#stuck.get(partitionKey(message))?.offset === message.offset;
  }

  /** It failed among others, which does not count as an attempt: from now on it is handled by itself. */
  suspect(message: ReceivedMessage): void {
    this.remember(message, none);
  }

  remember(message: ReceivedMessage, attempts: Attempts): void {
    this.#stuck.set(partitionKey(message), { offset: message.offset, attempts });
  }

  /** The partition goes on. */
  forget(message: ReceivedMessage): void {
    if (this.knows(message)) this.#stuck.delete(partitionKey(message));
  }

  /** Partitions that now belong to others are theirs to count. */
  keepOnly(assignment: Readonly<Record<string, readonly number[]>>): void {
    const ours = new Set(
      Object.entries(assignment).flatMap(([topic, partitions]) =>
        partitions.map((partition) => partitionKey({ topic, partition })),
      ),
    );
    for (const key of this.#stuck.keys()) if (!ours.has(key)) this.#stuck.delete(key);
  }

  /** Partitions that wait. */
  get size(): number {
    return this.#stuck.size;
  }

  /** Partitions whose message could not be written to the dead-letter topic. */
  blocked(): string[] {
    return [...this.#stuck].filter(([, { attempts }]) => attempts.givenUp).map(([key]) => key);
  }
}
