import { withDeadline } from '../shared/withDeadline';
import type { Transaction } from './transaction';

/** What is needed of a Prisma client: the captured one, where handlers write models or append events. */
export interface ConsumerDatabase<Tx = Transaction> {
  $transaction<R>(work: (tx: Tx) => Promise<R>, options?: { maxWait?: number; timeout?: number }): Promise<R>;
  $queryRawUnsafe<R>(sql: string): Promise<R>;
}

/** Longest wait for a connection of the pool, in milliseconds; after that it is tried again as during an outage. */
export const connectionWaitMs = 10_000;
/** A database that stopped answering in mid-transaction gets this much longer before it counts as away. */
export const graceMs = 5_000;

/** Longest time that a transaction of the runner's own statements may take, in milliseconds. */
export const ownTransactionMs = 20_000;

/**
 * Runs `work` in a transaction that may take `timeoutMs`.
 * @throws NoAnswerError when the database does not answer; whether the transaction has committed is not known then.
 */
export function transact<Tx, R>(
  database: Pick<ConsumerDatabase<Tx>, '$transaction'>,
  timeoutMs: number,
  work: (tx: Tx) => Promise<R>,
): Promise<R> {
  return withDeadline(
    database.$transaction(work, { maxWait: connectionWaitMs, timeout: timeoutMs }),
    connectionWaitMs + timeoutMs + graceMs,
  );
}
