/*
 * One message: decode, validate, and let its handler have its effect once. processEffect.ts does it for effects outside of
 * the database.
 *
 * The inbox row, the handler's writes and the events it appends are one transaction. A second delivery finds the row
 * and does nothing; a simultaneous one, in whatever process, waits for the first on the row's unique index.
 *
 * The commit is not taken on trust. Postgres answers COMMIT of a transaction in which a statement failed with a silent
 * ROLLBACK, and Prisma resolves: a handler that swallows such an error would lose its effect and the inbox row, and the
 * event would count as processed. One more statement before COMMIT fails if that is so. And what is thrown at COMMIT
 * may come from a transaction that has committed: the next attempt finds the inbox row then.
 */
import type { Catalogue } from '../events/catalogue';
import { type ReceivedMessage, readEvent } from '../kafka/messages/readMessage';
import type { Logger } from '../shared/logger';
import { infrastructureReason, isAbortedTransaction } from './databaseErrors';
import { type AnyEffects, effectOf } from './effects';
import { explain } from './explain';
import { type ClassifyError, classOf, type Failure } from './failurePolicy';
import { type AnyHandlers, handlerOf } from './handlers';
import { failed, type Outcome } from './outcome';
import type { LaterEvents } from './postponed/putAside';
import { processEffect } from './processEffect';
import type { EventEnvelope } from '../events/envelope';
import { type Delivery, runHandler } from './runHandler';
import type { Source } from './source';
import { topicSource } from './topicSource';
import { type ConsumerDatabase, graceMs, transact } from './transact';
import type { Transaction } from './transaction';

export interface ProcessDependencies<Tx extends Transaction = Transaction> {
  /** Which events there are, and what their data look like. */
  readonly catalogue: Catalogue;
  /** The consumer's name in the inbox. */
  readonly consumer: string;
  readonly handlers: AnyHandlers<Tx>;
  readonly effects?: AnyEffects<Tx> | undefined;
  /** Whether later events of an aggregate wait for its postponed one; 'wait' where that is not said. */
  readonly laterEvents?: LaterEvents | undefined;
  readonly classify?: ClassifyError | undefined;
  /** Ids of events whose effect has happened and could not be noted; shared by all attempts of a process. */
  readonly happened?: Set<string> | undefined;
  readonly topicPrefix: string;
  readonly database: ConsumerDatabase<Tx>;
  readonly logger: Logger;
  /** Longest time that a handler's transaction, or an effect, may take, in milliseconds. */
  readonly handlerTimeoutMs: number;
  /** 1 at the first attempt. */
  readonly attempt: number;
  /** When the event was tried for the first time, if it has been postponed since. */
  readonly triedSince?: Date | undefined;
  /** Called with each event whose effect has happened now, not with one that was known before. */
  readonly onProcessed?: ((event: EventEnvelope) => void) | undefined;
}

/** The lease of an effect outlasts its deadline by what it takes to note it. */
export const leaseMsFor = (handlerTimeoutMs: number): number => handlerTimeoutMs + graceMs;

/** Processes a message from a topic once. Never throws. */
export async function processMessage<Tx extends Transaction>(
  message: ReceivedMessage,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const parsed = readEvent(message, dependencies);
  if (!parsed.ok) return invalid(parsed.reason);
  const { consumer, laterEvents = 'wait', handlerTimeoutMs } = dependencies;
  const delivery = { event: parsed.event, message };
  const leaseMs = leaseMsFor(handlerTimeoutMs);
  const source = topicSource<Tx>(delivery, { consumer, laterEvents, leaseMs });
  return processDelivery(delivery, source, dependencies);
}

/** Processes a valid event once, wherever it comes from. Never throws. */
export async function processDelivery<Tx extends Transaction>(
  delivery: Delivery,
  source: Source<Tx>,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const outcome = await haveEffect(delivery, source, dependencies);
  if (outcome.kind === 'processed') dependencies.onProcessed?.(delivery.event);
  return outcome;
}

async function haveEffect<Tx extends Transaction>(
  delivery: Delivery,
  source: Source<Tx>,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const { handlers, effects = {} } = dependencies;
  const effect = effectOf(effects, delivery.event);
  if (effect) return processEffect(delivery, { effect, source }, dependencies);
  if (!handlerOf(handlers, delivery.event)) return invalid('event_type: no handler');
  return inTransaction(delivery, source, dependencies);
}

async function inTransaction<Tx extends Transaction>(
  delivery: Delivery,
  source: Source<Tx>,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const { database, handlerTimeoutMs } = dependencies;
  let stage: 'before' | 'handler' | 'check' | 'commit' = 'before';
  const work = async (tx: Tx): Promise<Outcome> => {
    const ended = await source.claim(tx);
    if (ended) return ended;
    stage = 'handler';
    await runHandler(tx, delivery, dependencies);
    stage = 'check';
    await source.complete?.(tx);
    await tx.$queryRawUnsafe('SELECT 1');
    stage = 'commit';
    return { kind: 'processed' };
  };
  try {
    return await transact(database, handlerTimeoutMs, work);
  } catch (error) {
    if (stage === 'before')
      return failed({ kind: 'own', errorClass: classOf(error), reason: infrastructureReason(error) }, error);
    if (stage === 'check' && isAbortedTransaction(error)) return failed(swallowedError, error);
    return failed(await explain(error, delivery.event, dependencies), error);
  }
}

/** A handler has caught an error of Postgres and gone on. */
export const swallowedError: Failure = {
  kind: 'failed',
  errorClass: 'AbortedTransaction',
  reason: 'the handler went on after a statement of its transaction had failed',
};

const invalid = (reason: string): Outcome =>
  failed({ kind: 'invalid', errorClass: 'InvalidMessage', reason });
