/*
 * One message until it is done with: processed, known before, put aside in Postgres, an acknowledged dead letter, or an
 * operator's replay for another group. Everything else is "again": its partition waits and offers it once more. Nothing leads past a message.
 */
import type { DeadLetter } from '../kafka/deadLetters/deadLetter';
import { type ReceivedMessage, partitionKey } from '../kafka/messages/readMessage';
import { isForAnotherGroup } from '../kafka/deadLetters/replay';
import type { Verdict } from '../kafka/groups/workBatch';
import { backoffMs } from '../shared/backoff';
import type { Logger } from '../shared/logger';
import { type Attempts, AttemptsByPartition } from './attempts';
import { decide, type Failure, type RetryPolicy } from './failurePolicy';
import type { ConsumerMetrics } from './metrics';
import type { Outcome } from './outcome';
import { postpone } from './postponed/postpone';
import { processMessage, type ProcessDependencies } from './processMessage';
import type { Transaction } from './transaction';

export interface SettleDependencies<Tx extends Transaction = Transaction> extends Omit<
  ProcessDependencies<Tx>,
  'attempt'
> {
  readonly group: string;
  readonly policy: RetryPolicy;
  readonly attempts: AttemptsByPartition;
  /** Resolves when the dead letter is safe. */
  readonly publishDeadLetter: (letter: DeadLetter) => Promise<void>;
  readonly metrics: ConsumerMetrics;
}

/** Does with a message what can be done now. Aborting the signal ends a wait for the dead-letter topic. */
export async function settleMessage<Tx extends Transaction>(
  message: ReceivedMessage,
  dependencies: SettleDependencies<Tx>,
  signal: AbortSignal,
): Promise<Verdict> {
  if (isForAnotherGroup(message, dependencies.group)) {
    dependencies.metrics.events.inc({ ...labelsOf(message, dependencies), outcome: 'not_for_us' });
    return { kind: 'done' };
  }
  const known = dependencies.attempts.of(message);
  const verdict = known.givenUp
    ? await bury(message, known, known.givenUp, dependencies, signal)
    : await attempt(message, known, dependencies, signal);
  if (verdict.kind === 'done') dependencies.attempts.forget(message);
  dependencies.metrics.waiting.set({ consumer: dependencies.consumer }, dependencies.attempts.size);
  return verdict;
}

async function attempt<Tx extends Transaction>(
  message: ReceivedMessage,
  known: Attempts,
  dependencies: SettleDependencies<Tx>,
  signal: AbortSignal,
): Promise<Verdict> {
  const { metrics, attempts, policy, logger } = dependencies;
  const labels = labelsOf(message, dependencies);
  const stopTimer = metrics.seconds.startTimer(labels);
  const tried = await processMessage(message, { ...dependencies, attempt: known.attempts + 1 });
  const outcome = await postponeIfAsked(message, tried, known.attempts + 1, dependencies);
  stopTimer();
  if (outcome.kind !== 'failed') {
    metrics.events.inc({ ...labels, outcome: outcome.kind });
    logDone(logger, placeOf(message), outcome);
    return { kind: 'done' };
  }
  const now = counted(known, outcome.failure);
  const decision = decide(outcome.failure, now, policy);
  logger[decision.action === 'dead-letter' ? 'error' : 'warn'](
    { ...placeOf(message), ...outcome.failure, ...now, ...decision, at: framesOf(outcome.error) },
    decision.action === 'dead-letter' ? 'a message is given up' : 'a message failed; its partition waits',
  );
  if (decision.action === 'dead-letter') {
    const givenUp = { ...now, givenUp: outcome.failure };
    attempts.remember(message, givenUp);
    return bury(message, givenUp, outcome.failure, dependencies, signal);
  }
  attempts.remember(message, now);
  metrics.retries.inc({ ...labels, reason: outcome.failure.kind });
  return { kind: 'again', afterMs: decision.afterMs };
}

/** Puts an event aside whose handler wants it later; any other outcome is passed on. */
async function postponeIfAsked<Tx extends Transaction>(
  message: ReceivedMessage,
  outcome: Outcome,
  attempts: number,
  dependencies: SettleDependencies<Tx>,
): Promise<Outcome> {
  if (outcome.kind !== 'failed' || outcome.failure.kind !== 'later') return outcome;
  const { failure } = outcome;
  const decision = decide(failure, { attempts, outages: 0 }, dependencies.policy);
  if (decision.action !== 'postpone') return outcome;
  const { afterMs } = decision;
  const postponed = await postpone(message, { failure, attempts, afterMs }, dependencies);
  if (postponed.kind === 'postponed') {
    const { errorClass, reason } = failure;
    dependencies.logger.info(
      { ...placeOf(message), errorClass, reason, afterMs },
      'an event is postponed; its partition goes on',
    );
  }
  return postponed;
}

/** Says of what is done with that it is done; of a command that was not carried out, for people to see. */
export function logDone(logger: Logger, place: object, outcome: Exclude<Outcome, { kind: 'failed' }>): void {
  if (outcome.kind === 'not_wanted')
    logger.info(
      { ...place, reason: outcome.reason },
      'a command is not carried out: it is not wanted any more',
    );
  else logger.debug({ ...place, outcome: outcome.kind }, 'message done');
}

function counted({ attempts, outages }: Attempts, failure: Failure): Attempts {
  return failure.kind === 'own' ? { attempts, outages: outages + 1 } : { attempts: attempts + 1, outages: 0 };
}

type BuryDependencies = Pick<
  SettleDependencies,
  'consumer' | 'topicPrefix' | 'group' | 'policy' | 'attempts' | 'publishDeadLetter' | 'metrics' | 'logger'
>;

async function bury(
  message: ReceivedMessage,
  known: Attempts,
  { errorClass, reason }: Failure,
  dependencies: BuryDependencies,
  signal: AbortSignal,
): Promise<Verdict> {
  const { group, policy, attempts, publishDeadLetter, metrics, logger } = dependencies;
  const labels = labelsOf(message, dependencies);
  const letter = { message, group, attempts: known.attempts, errorClass, reason, failedAt: new Date() };
  try {
    await orAborted(publishDeadLetter(letter), signal);
  } catch (error) {
    const outages = known.outages + 1;
    attempts.remember(message, { ...known, outages });
    const afterMs = backoffMs(outages, { initialMs: 250, maxMs: policy.retryMaxMs });
    metrics.retries.inc({ ...labels, reason: 'own' });
    logger.error({ err: error, ...placeOf(message), afterMs }, 'the dead-letter topic cannot be written');
    return { kind: 'again', afterMs };
  }
  metrics.events.inc({ ...labels, outcome: 'dead_letter' });
  logger.error({ ...placeOf(message), errorClass, reason }, 'dead letter written');
  return { kind: 'done' };
}

/** A broker that does not answer must not keep a consumer from stopping; the message will be offered again. */
export async function orAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const leave = (): void => reject(new Error('stopping'));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    work.finally(() => signal.removeEventListener('abort', leave)).catch(() => undefined);
  });
  await Promise.race([work, aborted]);
}

export function labelsOf(
  { topic }: ReceivedMessage,
  { consumer, topicPrefix }: Pick<SettleDependencies, 'consumer' | 'topicPrefix'>,
) {
  return { consumer, event_type: topic.slice(topicPrefix.length + 1) };
}

export function placeOf(message: ReceivedMessage): { partition: string; offset: string } {
  return { partition: partitionKey(message), offset: message.offset };
}

/** Where an error was thrown. Its message is left out: what we do not know may quote a patient's data. */
export function framesOf(error: unknown): string[] | undefined {
  if (!(error instanceof Error)) return undefined;
  const frames = error.stack?.split('\n').filter((line) => /^ {4}at \S.*:\d+:\d+\)?$/.test(line));
  return frames?.slice(0, 8).map((line) => line.trim());
}
