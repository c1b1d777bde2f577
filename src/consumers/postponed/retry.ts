/*
 * One more attempt at a postponed event. Whatever becomes of it is noted in its row, or deletes the row; if the database
 * is lost in between, the lease expires and the event is tried again.
 */
import { readEvent } from '../../kafka/messages/readMessage';
import { backoffMs } from '../../shared/backoff';
import { decide, type Failure } from '../failurePolicy';
import type { Outcome } from '../outcome';
import { processDelivery } from '../processMessage';
import { framesOf, labelsOf, logDone, orAborted, placeOf, type SettleDependencies } from '../settleMessage';
import { ownTransactionMs, transact } from '../transact';
import { withDeadline } from '../../shared/withDeadline';
import type { ClaimedEvent } from './claim';
import { postponedSource } from './postponedSource';
import { releaseNext } from './release';
import { type Held, markGivenUp, removePostponed, reschedule } from './settle';
import type { Transaction } from '../transaction';

export type RetryDependencies<Tx extends Transaction = Transaction> = Omit<
  SettleDependencies<Tx>,
  'attempts'
>;

/**
 * Tries a postponed event that is ours. Rejects only when the database fails. Aborting the signal ends a wait for the
 * dead-letter topic.
 */
export async function retryPostponed<Tx extends Transaction>(
  claimed: ClaimedEvent,
  token: string,
  dependencies: RetryDependencies<Tx>,
  signal: AbortSignal,
): Promise<void> {
  const { metrics, logger, consumer } = dependencies;
  const held = { consumer, eventId: claimed.eventId, token };
  const known = knownFailure(claimed);
  if (known) return deadLetter(claimed, held, known, dependencies, signal);
  const labels = labelsOf(claimed.message, dependencies);
  const stopTimer = metrics.seconds.startTimer(labels);
  const outcome = await process(claimed, held, dependencies);
  stopTimer();
  if (outcome.kind === 'failed') return settleFailure(claimed, held, outcome, dependencies, signal);
  metrics.events.inc({ ...labels, outcome: outcome.kind });
  logDone(logger, placeOf(claimed.message), outcome);
}

/** Why an event was given up whose dead letter could not be written then. */
function knownFailure({ givenUp, errorClass, reason }: ClaimedEvent): Failure | undefined {
  if (!givenUp) return undefined;
  return { kind: 'permanent', errorClass: errorClass ?? 'Error', reason: reason ?? '' };
}

async function process<Tx extends Transaction>(
  { message, attempts, triedSince }: ClaimedEvent,
  held: Held,
  dependencies: RetryDependencies<Tx>,
): Promise<Outcome> {
  const parsed = readEvent(message, dependencies);
  if (!parsed.ok) {
    const failure = { kind: 'invalid', errorClass: 'InvalidMessage', reason: parsed.reason } as const;
    return { kind: 'failed', failure };
  }
  const delivery = { event: parsed.event, message };
  return processDelivery(delivery, postponedSource<Tx>(held), {
    ...dependencies,
    attempt: attempts,
    triedSince,
  });
}

async function settleFailure<Tx extends Transaction>(
  claimed: ClaimedEvent,
  held: Held,
  { failure, error }: Extract<Outcome, { kind: 'failed' }>,
  dependencies: RetryDependencies<Tx>,
  signal: AbortSignal,
): Promise<void> {
  const { policy, logger, metrics, database } = dependencies;
  const { message, attempts, triedForMs } = claimed;
  const failures =
    failure.kind === 'failed' ? claimed.failures + 1 : failure.kind === 'later' ? 0 : claimed.failures;
  const outages = failure.kind === 'own' ? claimed.outages + 1 : 0;
  const history = { attempts: failures, outages, postponements: attempts - 1, triedForMs };
  const decision = decide(failure, history, policy);
  logger[decision.action === 'dead-letter' ? 'error' : 'info'](
    { ...placeOf(message), ...failure, attempts, ...decision, at: framesOf(error) },
    decision.action === 'dead-letter'
      ? 'a postponed event is given up'
      : 'a postponed event is tried again later',
  );
  if (decision.action === 'dead-letter') return deadLetter(claimed, held, failure, dependencies, signal);
  metrics.retries.inc({ ...labelsOf(message, dependencies), reason: failure.kind });
  const { afterMs } = decision;
  await transact(database, ownTransactionMs, (tx: Tx) =>
    reschedule(tx, held, { failure, afterMs, failures, outages, givenUp: false }),
  );
}

/** The row goes when Kafka has the dead letter; a crash in between writes it twice. */
async function deadLetter<Tx extends Transaction>(
  claimed: ClaimedEvent,
  held: Held,
  failure: Failure,
  dependencies: RetryDependencies<Tx>,
  signal: AbortSignal,
): Promise<void> {
  const { group, policy, publishDeadLetter, metrics, logger, database } = dependencies;
  const { message, attempts } = claimed;
  const { errorClass, reason } = failure;
  const ours = await transact(database, ownTransactionMs, (tx: Tx) => markGivenUp(tx, held, failure));
  if (!ours) return;
  try {
    const letter = { message, group, attempts, errorClass, reason, failedAt: new Date() };
    await orAborted(withDeadline(publishDeadLetter(letter), dependencies.handlerTimeoutMs), signal);
  } catch (error) {
    const outages = claimed.outages + 1;
    const afterMs = backoffMs(outages, { initialMs: 250, maxMs: policy.retryMaxMs });
    logger.error({ err: error, ...placeOf(message), afterMs }, 'the dead-letter topic cannot be written');
    await transact(database, ownTransactionMs, (tx: Tx) =>
      reschedule(tx, held, { failure, afterMs, failures: claimed.failures, outages, givenUp: true }),
    );
    return;
  }
  await transact(database, ownTransactionMs, async (tx: Tx) => {
    const aggregate = await removePostponed(tx, held);
    if (aggregate) await releaseNext(tx, held.consumer, aggregate);
  });
  metrics.events.inc({ ...labelsOf(message, dependencies), outcome: 'dead_letter' });
  logger.error({ ...placeOf(message), errorClass, reason }, 'dead letter written');
}
