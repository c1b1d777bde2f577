/*
 * The judge. It compares what was committed (the journal's triggers), what stands in the outbox, what lies in the
 * topics, what consumers did, what the tables hold and what the writers were told. It uses none of the code that it
 * judges, and is itself tested with false evidence: test/unit/chaos/check.test.ts.
 */
import type { Evidence } from './evidence';
import { judgeConsumers } from './judgeConsumers';
import { judgePublishing } from './judgePublishing';
import { judgeWriters } from './judgeWriters';

/** Every kind of fault, with what it is about. All lists are empty when the guarantees held. */
export interface Faults {
  /** Committed, and in no topic. */
  readonly lost: string[];
  /** In a topic, and never committed. */
  readonly invented: string[];
  /** Two events, with ids of their own, for one change. */
  readonly toldTwice: string[];
  /** A first copy that comes after that of a later change of its aggregate in the same topic. */
  readonly outOfOrder: string[];
  /** `metadata.sequence` does not grow with the changes of the aggregate, across its topics. */
  readonly sequenceWrong: string[];
  /** Committed without a row in the outbox: capture's fault, not the relay's. */
  readonly notCaptured: string[];
  /** In the outbox without a change. */
  readonly capturedForNothing: string[];
  readonly effectsLost: string[];
  readonly effectsDoubled: string[];
  readonly effectsOutOfNowhere: string[];
  /** An effect after that of a later change of its aggregate in the same topic. */
  readonly effectsOutOfOrder: string[];
  /** The writer was told "committed" and it is not there. */
  readonly commitsLost: string[];
  /** Rolled back on purpose, and there. */
  readonly rollbacksKept: string[];
  /** Some changes of a transaction are there and others are not. */
  readonly halfCommitted: string[];
  /** A row that is not what its last change made of it. */
  readonly tablesWrong: string[];
  /** Set aside, though nothing was wrong with it. */
  readonly parked: string[];
  readonly deadLetters: string[];
}

export interface Verdict {
  readonly faults: Faults;
  readonly committed: number;
  readonly published: number;
  /** Further copies of events, which are allowed. */
  readonly repeated: number;
  readonly effects: number;
}

export function check(evidence: Evidence): Verdict {
  const { parked, deadLetters, changes, published, effects } = evidence;
  const ids = new Set(published.map(({ eventId }) => eventId));
  return {
    faults: {
      ...judgePublishing(evidence),
      ...judgeConsumers(evidence),
      ...judgeWriters(evidence),
      parked: parked > 0 ? [`${parked} event(s) are parked or held`] : [],
      deadLetters: deadLetters > 0 ? [`${deadLetters} message(s) are dead letters`] : [],
    },
    committed: changes.length,
    published: ids.size,
    repeated: published.length - ids.size,
    effects: effects.length,
  };
}

/** Whether every guarantee held. */
export function isClean({ faults }: Verdict): boolean {
  return Object.values(faults).every((list: readonly string[]) => list.length === 0);
}
