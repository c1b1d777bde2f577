/*
 * What a sequence is made of. All of it is data, so that it can be run on several databases, shrunk, and printed.
 */
import type { EventContext } from '../../../src/outbox/context';

export type ModelName = 'patient' | 'appointment';

/** One call of a model's operation. */
export interface Write {
  readonly model: ModelName;
  readonly action: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** What happens inside the callback of an interactive transaction. `caught`: its error does not end the callback. */
export type Item =
  | { readonly kind: 'write'; readonly write: Write; readonly caught: boolean }
  | {
      readonly kind: 'append';
      readonly aggregateId: string;
      readonly data: { readonly to: string; readonly subject: string; readonly text: string };
      readonly caught: boolean;
    }
  /** Started one after the other without waiting for the end of the one before, then awaited all. */
  | { readonly kind: 'together'; readonly writes: readonly Write[] }
  /** A transaction inside the transaction: a savepoint. */
  | {
      readonly kind: 'nested';
      readonly items: readonly Item[];
      readonly end: 'commit' | 'throw';
      readonly caught: boolean;
    };

export type Isolation = 'ReadCommitted' | 'RepeatableRead' | 'Serializable';

/** What is committed, or not, as one: after each the databases are looked at. */
export type Step = { readonly context: EventContext } & (
  | { readonly kind: 'alone'; readonly write: Write }
  | { readonly kind: 'batch'; readonly writes: readonly Write[] }
  | {
      readonly kind: 'interactive';
      readonly items: readonly Item[];
      readonly end: 'commit' | 'throw';
      readonly isolationLevel?: Isolation;
    }
);

/** How a call ended, as the caller saw it. */
export type Outcome =
  { readonly call: string; readonly result: unknown } | { readonly call: string; readonly error: string };

export const failed = (outcome: Outcome | undefined): boolean => outcome !== undefined && 'error' in outcome;
