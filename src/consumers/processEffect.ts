/*
 * One event whose effect is outside of the database: lease, effect, note.
 *
 * 1. A transaction claims the event, asks whether its effect is still wanted, and takes a lease.
 * 2. The effect runs, with no transaction and no connection held.
 * 3. A transaction notes the event as processed and ends the lease.
 *
 * If the process dies between 2 and 3, the effect is repeated by the process that gets the event next, once the lease
 * has expired. If only the database is lost there, this process remembers that the effect has happened and notes it when
 * the event comes again. An effect that has not ended at its deadline keeps its lease: it may still be going on.
 */
import { isExpired } from '../events/expiry';
import type { EventEnvelope } from '../events/envelope';
import { withContext } from '../outbox/context';
import { infrastructureReason, isAbortedTransaction } from './databaseErrors';
import type { Effect, EffectContext } from './effects';
import { explain } from './explain';
import { classifyFailure, classOf, type Failure } from './failurePolicy';
import { failed, type Outcome } from './outcome';
import type { ProcessDependencies } from './processMessage';
import { contextOf, type Delivery, handlerContext } from './runHandler';
import type { Source } from './source';
import { ownTransactionMs, transact } from './transact';
import { NoAnswerError, withDeadline } from '../shared/withDeadline';
import type { Transaction } from './transaction';

interface Work<Tx extends Transaction> {
  readonly effect: Effect<EventEnvelope, Tx>;
  readonly source: Source<Tx>;
}

type Stage = 'before' | 'question' | 'check' | 'effect' | 'note';

/** Has an effect happen once, as far as that can be had. Never throws. */
export async function processEffect<Tx extends Transaction>(
  delivery: Delivery,
  work: Work<Tx>,
  dependencies: ProcessDependencies<Tx>,
): Promise<Outcome> {
  const { database, happened = new Set() } = dependencies;
  const { event_id } = delivery.event;
  let stage: Stage = 'before';
  try {
    const ended = await transact(database, ownTransactionMs, (tx: Tx) =>
      begin(tx, delivery, work, dependencies, (next) => (stage = next)),
    );
    if (ended) return ended;
    stage = 'effect';
    if (!happened.has(event_id)) await runEffect(delivery, work.effect, dependencies);
    happened.add(event_id);
    stage = 'note';
    await transact(database, ownTransactionMs, (tx: Tx) => work.source.finish(tx));
    happened.delete(event_id);
    return { kind: 'processed' };
  } catch (error) {
    if (stage === 'note' || (stage === 'effect' && !(error instanceof NoAnswerError)))
      await release(work.source, dependencies);
    return failed(await failureOf(error, stage, delivery, dependencies), error);
  }
}

/** Undefined when the lease is ours and the effect is to follow. */
async function begin<Tx extends Transaction>(
  tx: Tx,
  delivery: Delivery,
  { effect, source }: Work<Tx>,
  dependencies: ProcessDependencies<Tx>,
  onStage: (stage: Stage) => void,
): Promise<Outcome | undefined> {
  const ended = await source.lease(tx);
  if (ended || dependencies.happened?.has(delivery.event.event_id)) return ended;
  const [clock] = await tx.$queryRaw<{ now: Date }[]>`SELECT clock_timestamp() AS "now"`;
  if (isExpired(dependencies.catalogue, delivery.event, clock?.now ?? new Date())) {
    await source.finish(tx);
    return { kind: 'not_wanted', reason: 'expired' };
  }
  if (!effect.isWanted) return undefined;
  onStage('question');
  const context = handlerContext(tx, delivery, dependencies);
  const wanted = await withContext(contextOf(delivery.event), async () =>
    effect.isWanted?.(delivery.event, context),
  );
  onStage('check');
  if (wanted) return void (await tx.$queryRawUnsafe('SELECT 1'));
  await source.finish(tx);
  return { kind: 'not_wanted', reason: 'not_wanted' };
}

async function runEffect<Tx extends Transaction>(
  delivery: Delivery,
  effect: Effect<EventEnvelope, Tx>,
  dependencies: ProcessDependencies<Tx>,
): Promise<void> {
  const { tx: _, ...context } = handlerContext(undefined as never, delivery, dependencies);
  const overdue = new AbortController();
  const effectContext: EffectContext = { ...context, signal: overdue.signal };
  try {
    await withDeadline(
      withContext(contextOf(delivery.event), async () => effect.run(delivery.event, effectContext)),
      dependencies.handlerTimeoutMs,
    );
  } finally {
    overdue.abort();
  }
}

async function failureOf<Tx extends Transaction>(
  error: unknown,
  stage: Stage,
  { event }: Delivery,
  dependencies: ProcessDependencies<Tx>,
): Promise<Failure> {
  if (stage === 'before')
    return { kind: 'own', errorClass: classOf(error), reason: infrastructureReason(error) };
  if (stage === 'check' && isAbortedTransaction(error)) {
    const reason = 'isWanted went on after a statement of its transaction had failed';
    return { kind: 'failed', errorClass: 'AbortedTransaction', reason };
  }
  if (stage === 'effect') return classifyFailure(error, event.data, dependencies.classify);
  return explain(error, event, dependencies);
}

/** If it fails, the lease expires by itself, and the event waits for that. */
async function release<Tx extends Transaction>(
  source: Source<Tx>,
  { database, logger }: ProcessDependencies<Tx>,
): Promise<void> {
  try {
    await transact(database, ownTransactionMs, (tx: Tx) => source.release(tx));
  } catch (error) {
    logger.warn({ errorClass: classOf(error) }, 'the lease of an effect could not be ended; it will expire');
  }
}
