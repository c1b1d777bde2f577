/*
 * Several messages of one partition in one transaction: their inbox rows, and their handlers' writes in the messages'
 * order. They take effect together or not at all, so each event's effect still commits with its inbox row, and what
 * does not come through is handled by itself afterwards, as if this had never been tried.
 *
 * Simultaneous deliveries wait for each other on the inbox rows. All rows of a transaction are claimed by its first
 * statement, in the order of their ids, before any handler has locked anything: two transactions can wait for each
 * other's handlers only if the handlers themselves lock the same rows in different orders. Postgres ends one of them
 * then, and its messages are handled in smaller parts.
 *
 * Time is limited: after `longestMs`, or when it is told to end, no further handler is started. Claims of events whose turn
 * has not come are given back in the same transaction, and what has been handled commits.
 */
import type { EventEnvelope } from '../events/envelope';
import { claimEvents, releaseEvents } from './inbox';
import type { ProcessDependencies } from './processMessage';
import { type Delivery, runHandler } from './runHandler';
import { findHeldBack } from './postponed/find';
import { connectionWaitMs, graceMs } from './transact';
import { withDeadline } from '../shared/withDeadline';
import type { Transaction } from './transaction';

/**
 * Messages of a partition that share a transaction: several times faster than one for each. When one of them fails all
 * are taken back, and the handlers of the others run again; so this is for handlers that do nothing but write with
 * their transaction.
 */
export interface SharedTransactions<Tx extends Transaction = Transaction, Event = never> {
  /** How many messages at most. */
  readonly most: number;
  /** No further handler is started after so many milliseconds: its locks, and a rebalance, wait no longer. 250. */
  readonly longestMs?: number;
  /**
   * Does for several events, in their order, what the handlers do for each, where that is faster still. It runs in the
   * context of none of them, so it is not for consumers that append events.
   */
  readonly handle?: (events: readonly Event[], tx: Tx) => Promise<void>;
}

export interface TogetherDependencies<Tx extends Transaction = Transaction> extends ProcessDependencies<Tx> {
  readonly shared?: SharedTransactions<Tx> | undefined;
}

export interface Handled {
  readonly delivery: Delivery;
  readonly outcome: 'processed' | 'duplicate';
  /** What it took: its handler, and its share of the transaction. */
  readonly seconds: number;
}

export type TogetherOutcome =
  /** In order; not all of them when time was up, or when one has to be handled by itself. */
  | { readonly kind: 'done'; readonly handled: readonly Handled[] }
  /** Nothing has happened. `at` is the message whose handler failed; unknown when something else did. */
  | { readonly kind: 'failed'; readonly at: number | undefined; readonly error: unknown };

const defaultLongestMs = 250;

/** Processes messages in one transaction. Never throws. */
export async function processTogether<Tx extends Transaction>(
  deliveries: readonly Delivery[],
  dependencies: TogetherDependencies<Tx>,
  mustEnd: () => boolean,
): Promise<TogetherOutcome> {
  const { database, consumer, handlerTimeoutMs, shared } = dependencies;
  const begun = performance.now();
  const progress: Progress = { inHand: undefined };
  const work = async (tx: Tx): Promise<Timed[]> => {
    const claimed = await claimEvents(tx, consumer, deliveries.map(idOf));
    const run = { deliveries: await untilHeldBack(tx, deliveries, claimed, dependencies), claimed, tx };
    const timed = shared?.handle
      ? await handleAtOnce(run, shared.handle)
      : await handleInTurn(run, dependencies, mustEnd, progress);
    if (claimed.size > 0) await releaseEvents(tx, consumer, [...claimed]);
    // COMMIT of a transaction in which a handler swallowed an error would roll back without a word.
    await tx.$queryRawUnsafe('SELECT 1');
    return timed;
  };
  try {
    const timeout = handlerTimeoutMs + (shared?.longestMs ?? defaultLongestMs);
    const timed = await withDeadline(
      database.$transaction(work, { maxWait: connectionWaitMs, timeout }),
      connectionWaitMs + timeout + graceMs,
    );
    return { kind: 'done', handled: withShares(timed, performance.now() - begun) };
  } catch (error) {
    return { kind: 'failed', at: progress.inHand, error };
  }
}

/**
 * The deliveries before the first one that is postponed or comes after a postponed event: that one is handled by itself.
 */
async function untilHeldBack<Tx extends Transaction>(
  tx: Tx,
  deliveries: readonly Delivery[],
  claimed: ReadonlySet<string>,
  { consumer, laterEvents = 'wait' }: TogetherDependencies<Tx>,
): Promise<readonly Delivery[]> {
  const isNew = deliveries.filter((delivery) => claimed.has(idOf(delivery)));
  const heldBack = await findHeldBack(
    tx,
    consumer,
    isNew.map(({ event }) => event),
  );
  const ids = new Set(
    heldBack.filter(({ postponed }) => postponed || laterEvents === 'wait').map(({ eventId }) => eventId),
  );
  const first = deliveries.findIndex((delivery) => ids.has(idOf(delivery)));
  return first === -1 ? deliveries : deliveries.slice(0, first);
}

interface Run<Tx> {
  readonly deliveries: readonly Delivery[];
  /** The events that are new; those that have been handled are taken out. */
  readonly claimed: Set<string>;
  readonly tx: Tx;
}

interface Progress {
  /** The message whose handler is running. */
  inHand: number | undefined;
}

async function handleInTurn<Tx extends Transaction>(
  { deliveries, claimed, tx }: Run<Tx>,
  dependencies: TogetherDependencies<Tx>,
  mustEnd: () => boolean,
  progress: Progress,
): Promise<Timed[]> {
  const timed: Timed[] = [];
  const endsAt = performance.now() + (dependencies.shared?.longestMs ?? defaultLongestMs);
  for (const [index, delivery] of deliveries.entries()) {
    const started = performance.now();
    if (index > 0 && (started >= endsAt || mustEnd())) break;
    progress.inHand = index;
    const isNew = claimed.delete(idOf(delivery));
    if (isNew) await runHandler(tx, delivery, dependencies);
    timed.push({ delivery, outcome: isNew ? 'processed' : 'duplicate', ms: performance.now() - started });
  }
  progress.inHand = undefined;
  return timed;
}

async function handleAtOnce<Tx extends Transaction>(
  { deliveries, claimed, tx }: Run<Tx>,
  handle: NonNullable<SharedTransactions<Tx>['handle']>,
): Promise<Timed[]> {
  const timed = deliveries.map((delivery): Timed => {
    return { delivery, outcome: claimed.delete(idOf(delivery)) ? 'processed' : 'duplicate', ms: 0 };
  });
  const isNew = timed.filter(({ outcome }) => outcome === 'processed');
  if (isNew.length > 0)
    await (handle as (events: readonly EventEnvelope[], tx: Tx) => Promise<void>)(
      isNew.map(({ delivery }) => delivery.event),
      tx,
    );
  return timed;
}

interface Timed extends Omit<Handled, 'seconds'> {
  readonly ms: number;
}

const idOf = ({ event }: Delivery): string => event.event_id.toLowerCase();

/** What the transaction took beside the handlers is spread over all messages. */
function withShares(timed: readonly Timed[], totalMs: number): Handled[] {
  const share = (totalMs - timed.reduce((sum, { ms }) => sum + ms, 0)) / Math.max(timed.length, 1);
  return timed.map(({ delivery, outcome, ms }) => ({ delivery, outcome, seconds: (ms + share) / 1_000 }));
}
