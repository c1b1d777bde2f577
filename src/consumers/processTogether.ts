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
 * Time is limited: after `runMs`, or when it is told to end, no further handler is started. Claims of events whose turn
 * has not come are given back in the same transaction, and what has been handled commits.
 */
import type { Prisma } from '../generated/prisma/client';
import { claimEvents, releaseEvents } from './inbox';
import { connectionWaitMs, graceMs, type ProcessDependencies } from './processMessage';
import { type Delivery, runHandler } from './runHandler';
import { withDeadline } from './withDeadline';

export interface Handled {
  readonly delivery: Delivery;
  readonly outcome: 'processed' | 'duplicate';
  /** What it took: its handler, and its share of the transaction. */
  readonly seconds: number;
}

export type TogetherOutcome =
  /** In order; not all of them when time was up. */
  | { readonly kind: 'done'; readonly handled: readonly Handled[] }
  /** Nothing has happened. `at` is the message whose handler failed; unknown when something else did. */
  | { readonly kind: 'failed'; readonly at: number | undefined; readonly error: unknown };

/** How long handlers are started in one transaction, in milliseconds: its locks, and a rebalance, wait no longer. */
const runMs = 250;

/** Processes messages in one transaction. Never throws. */
export async function processTogether<Tx extends Prisma.TransactionClient>(
  deliveries: readonly Delivery[],
  dependencies: ProcessDependencies<Tx>,
  mustEnd: () => boolean,
): Promise<TogetherOutcome> {
  const { database, consumer, handlerTimeoutMs } = dependencies;
  const begun = performance.now();
  let inHand: number | undefined;
  const work = async (tx: Tx): Promise<Timed[]> => {
    const claimed = await claimEvents(tx, consumer, deliveries.map(idOf));
    const timed: Timed[] = [];
    const endsAt = performance.now() + runMs;
    for (const [index, delivery] of deliveries.entries()) {
      if (index > 0 && (performance.now() >= endsAt || mustEnd())) break;
      inHand = index;
      const started = performance.now();
      const isNew = claimed.delete(idOf(delivery));
      if (isNew) await runHandler(tx, delivery, dependencies);
      const ms = performance.now() - started;
      timed.push({ delivery, outcome: isNew ? 'processed' : 'duplicate', ms });
    }
    inHand = undefined;
    if (claimed.size > 0) await releaseEvents(tx, consumer, [...claimed]);
    // COMMIT of a transaction in which a handler swallowed an error would roll back without a word.
    await tx.$queryRawUnsafe('SELECT 1');
    return timed;
  };
  try {
    const timeout = handlerTimeoutMs + runMs;
    const timed = await withDeadline(
      database.$transaction(work, { maxWait: connectionWaitMs, timeout }),
      connectionWaitMs + timeout + graceMs,
    );
    return { kind: 'done', handled: shared(timed, performance.now() - begun) };
  } catch (error) {
    return { kind: 'failed', at: inHand, error };
  }
}

interface Timed extends Omit<Handled, 'seconds'> {
  readonly ms: number;
}

const idOf = ({ event }: Delivery): string => event.event_id.toLowerCase();

/** What the transaction took beside the handlers is spread over all messages. */
function shared(timed: readonly Timed[], totalMs: number): Handled[] {
  const share = (totalMs - timed.reduce((sum, { ms }) => sum + ms, 0)) / Math.max(timed.length, 1);
  return timed.map(({ delivery, outcome, ms }) => ({ delivery, outcome, seconds: (ms + share) / 1_000 }));
}
