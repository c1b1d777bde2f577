/*
 * Tries postponed events again when they are due. Every process of a consumer runs one; Postgres hands each event to one
 * of them at a time (claim.ts).
 */
import { randomUUID } from 'node:crypto';
import { PollLoop } from '../../shared/pollLoop';
import { classOf } from '../failurePolicy';
import { connectionWaitMs, graceMs, ownTransactionMs, transact } from '../transact';
import { claimDue, type ClaimedEvent } from './claim';
import { countPostponed } from './count';
import { releaseForgotten } from './release';
import { type RetryDependencies, retryPostponed } from './retry';
import type { Transaction } from '../transaction';

export interface WorkerOptions<Tx extends Transaction> {
  readonly dependencies: RetryDependencies<Tx>;
  /** Longest time between two looks for due events, in milliseconds. */
  readonly intervalMs?: number;
  /**
   * Events that are tried at the same time. Four for effects, which hold no connection; else one, for the connections are
   * divided among the partitions (poolSize.ts).
   */
  readonly atOnce?: number;
}

const releaseIntervalMs = 10_000;

/** One round: tries events that are due, at most `atOnce`, and returns how many. Rejects when the database fails. */
export async function retryDue<Tx extends Transaction>(
  { dependencies, atOnce = dependencies.effects === undefined ? 1 : 4 }: WorkerOptions<Tx>,
  signal: AbortSignal,
): Promise<number> {
  const { database, consumer, laterEvents = 'wait', handlerTimeoutMs, metrics } = dependencies;
  const token = randomUUID();
  // Longer than an attempt can take, its own transactions included.
  const leaseMs = handlerTimeoutMs + connectionWaitMs + 2 * (ownTransactionMs + graceMs);
  const { claimed, count } = await transact(database, ownTransactionMs, async (tx: Tx) => ({
    claimed: await claimDue(tx, { consumer, laterEvents, token, leaseMs, limit: atOnce }),
    count: await countPostponed(tx, consumer),
  }));
  metrics.postponed.set({ consumer }, count.events);
  metrics.oldestPostponed.set({ consumer }, count.oldestSeconds);
  const retry = (event: ClaimedEvent): Promise<void> => retryPostponed(event, token, dependencies, signal);
  const results = await Promise.allSettled(claimed.map(retry));
  const rejected = results.find((result) => result.status === 'rejected');
  if (rejected) throw rejected.reason;
  return claimed.length;
}

/** The round again and again. While the database is away it tries with growing pauses, without limit. */
export function createPostponedWorker<Tx extends Transaction>(options: WorkerOptions<Tx>): PollLoop {
  const { intervalMs = 1_000, dependencies } = options;
  let releasedAt = 0;
  const { consumer, logger, metrics } = dependencies;
  metrics.postponed.set({ consumer }, 0);
  metrics.oldestPostponed.set({ consumer }, 0);
  return new PollLoop({
    name: `postponed events of ${consumer}`,
    intervalMs,
    backoff: { initialMs: 500, maxMs: 30_000 },
    run: async (_cause, signal) => {
      if (Date.now() - releasedAt >= releaseIntervalMs) {
        await transact(dependencies.database, ownTransactionMs, (tx: Tx) => releaseForgotten(tx, consumer));
        releasedAt = Date.now();
      }
      // After a round that has tried events there may be more, or one that waited for them.
      return (await retryDue(options, signal)) > 0;
    },
    onError: (error, attempt, pauseMs) =>
      logger.warn(
        { errorClass: classOf(error), attempt, pauseMs },
        'postponed events could not be tried; trying again',
      ),
  });
}
