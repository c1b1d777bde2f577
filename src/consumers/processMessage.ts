/*
 * One message: decode, validate, and let its handler have its effect once.
 *
 * The inbox row, the handler's writes and the events it appends are one transaction. A second delivery finds the row
 * and does nothing; a simultaneous one, in whatever process, waits for the first on the row's unique index.
 *
 * The commit is not taken on trust. Postgres answers COMMIT of a transaction in which a statement failed with a silent
 * ROLLBACK, and Prisma resolves: a handler that swallows such an error would lose its effect and the inbox row, and the
 * event would count as processed. One more statement before COMMIT fails if that is so. And what is thrown at COMMIT
 * may come from a transaction that has committed: the next attempt finds the inbox row then.
 */
import type { AnyEvent } from '../events/envelope';
import type { Prisma } from '../generated/prisma/client';
import { type ReceivedMessage, readEvent } from '../kafka/readMessage';
import type { Logger } from '../shared/logger';
import { infrastructureReason, isAbortedTransaction } from './databaseErrors';
import { classifyFailure, classOf, type Failure } from './failurePolicy';
import { type Handlers, handlerOf } from './handlers';
import { claimEvent } from './inbox';
import { type Delivery, runHandler } from './runHandler';
import { withDeadline } from './withDeadline';

export type Outcome =
  | { readonly kind: 'processed' }
  /** It had been processed before, or is being processed elsewhere by now: nothing was done. */
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly error?: unknown };

/** What is needed of a Prisma client: the captured one, where handlers write models or append events. */
export interface ConsumerDatabase<Tx = Prisma.TransactionClient> {
  $transaction<R>(work: (tx: Tx) => Promise<R>, options?: { maxWait?: number; timeout?: number }): Promise<R>;
  $queryRawUnsafe<R>(sql: string): Promise<R>;
}

export interface ProcessDependencies<Tx extends Prisma.TransactionClient = Prisma.TransactionClient> {
  /** The consumer's name in the inbox. */
  readonly consumer: string;
  readonly handlers: Handlers<Tx>;
  readonly topicPrefix: string;
  readonly database: ConsumerDatabase<Tx>;
  readonly logger: Logger;
  /** Longest time that a handler's transaction may take, in milliseconds. */
  readonly handlerTimeoutMs: number;
  /** 1 at the first attempt. */
  readonly attempt: number;
}

/** Longest wait for a connection of the pool, in milliseconds; after that it is tried again as during an outage. */
export const connectionWaitMs = 10_000;
/** A database that stopped answering in mid-transaction gets this much longer before it counts as away. */
export const graceMs = 5_000;

/** Processes a message once. Never throws. */
export async function processMessage<Tx extends Prisma.TransactionClient>(
  message: ReceivedMessage,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const parsed = readEvent(message, dependencies.topicPrefix);
  if (!parsed.ok) {
    return failed({ kind: 'invalid', errorClass: 'InvalidMessage', reason: parsed.reason });
  }
  if (!handlerOf(dependencies.handlers, parsed.event))
    return failed({ kind: 'invalid', errorClass: 'InvalidMessage', reason: 'event_type: no handler' });
  return inTransaction({ event: parsed.event, message }, dependencies);
}

async function inTransaction<Tx extends Prisma.TransactionClient>(
  delivery: Delivery,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const { database, consumer, handlerTimeoutMs } = dependencies;
  const { event } = delivery;
  let stage: 'before' | 'handler' | 'check' | 'commit' = 'before';
  const work = async (tx: Tx): Promise<Outcome> => {
    if (!(await claimEvent(tx, consumer, event.event_id))) return { kind: 'duplicate' };
    stage = 'handler';
    await runHandler(tx, delivery, dependencies);
    stage = 'check';
    await tx.$queryRawUnsafe('SELECT 1');
    stage = 'commit';
    return { kind: 'processed' };
  };
  try {
    return await withDeadline(
      database.$transaction(work, { maxWait: connectionWaitMs, timeout: handlerTimeoutMs }),
      connectionWaitMs + handlerTimeoutMs + graceMs,
    );
  } catch (error) {
    if (stage === 'before')
      return failed({ kind: 'own', errorClass: classOf(error), reason: infrastructureReason(error) }, error);
    if (stage === 'check' && isAbortedTransaction(error)) return failed(swallowedError, error);
    return failed(await explain(error, event, database), error);
  }
}

const swallowedError: Failure = {
  kind: 'failed',
  errorClass: 'AbortedTransaction',
  reason: 'the handler went on after a statement of its transaction had failed',
};

/** An error that we do not know, while the database is away, is most likely the outage in other words. */
async function explain(
  error: unknown,
  event: AnyEvent,
  database: Pick<ConsumerDatabase, '$queryRawUnsafe'>,
): Promise<Failure> {
  const failure = classifyFailure(error, event.data);
  if (failure.kind !== 'failed') return failure;
  try {
    await withDeadline(database.$queryRawUnsafe('SELECT 1'), graceMs);
    return failure;
  } catch {
    return { ...failure, kind: 'own', reason: 'the database is away' };
  }
}

function failed(failure: Failure, error?: unknown): Outcome {
  return { kind: 'failed', failure, error };
}
