/*
 * Successive messages of a partition in one transaction, where all of them are fit for it.
 *
 * Anything out of the ordinary is left to settleMessage.ts: a message that cannot be decoded, one that failed before, a
 * replay for another group, and whatever fails here. A failure takes the whole transaction back. Those before the
 * message that failed are then tried without it, and it is handled by itself; where nobody knows whose fault it was,
 * half of them are tried. So a bad message costs its neighbours a repetition, never their effect, and no message becomes
 * a dead letter or counts an attempt because of another.
 */
import { type ReceivedMessage, readEvent } from '../kafka/messages/readMessage';
import { isForAnotherGroup } from '../kafka/deadLetters/replay';
import { isDatabaseAway } from './databaseErrors';
import { classOf } from './failurePolicy';
import { handlerOf } from './handlers';
import { type Handled, processTogether, type TogetherDependencies } from './processTogether';
import type { Delivery } from './runHandler';
import { labelsOf, placeOf, type SettleDependencies } from './settleMessage';
import type { Transaction } from './transaction';

/** Resolves to how many messages, from the first on, are done with; 0 when the first must be handled by itself. */
export async function settleTogether<Tx extends Transaction>(
  messages: readonly ReceivedMessage[],
  dependencies: SettleDependencies<Tx> & Pick<TogetherDependencies<Tx>, 'shared'>,
  mustEnd: () => boolean,
): Promise<number> {
  const { attempts, logger } = dependencies;
  let fit = fitOnes(messages, dependencies);
  while (fit.length > 1 && !mustEnd()) {
    const outcome = await processTogether(fit, { ...dependencies, attempt: 1 }, mustEnd);
    if (outcome.kind === 'done') {
      for (const handled of outcome.handled) record(handled, dependencies);
      return outcome.handled.length;
    }
    const { at, error } = outcome;
    logger.debug({ errorClass: classOf(error), messages: fit.length, at }, 'messages failed together');
    if (isDatabaseAway(error)) return 0;
    const culprit = at === undefined ? undefined : fit[at];
    if (culprit) attempts.suspect(culprit.message);
    fit = fit.slice(0, at ?? Math.floor(fit.length / 2));
  }
  return 0;
}

/** The messages, from the first on, of which nothing bad is known. */
function fitOnes<Tx extends Transaction>(
  messages: readonly ReceivedMessage[],
  dependencies: SettleDependencies<Tx>,
): Delivery[] {
  const { attempts, group, handlers } = dependencies;
  const fit: Delivery[] = [];
  for (const message of messages) {
    if (attempts.knows(message) || isForAnotherGroup(message, group)) break;
    const parsed = readEvent(message, dependencies);
    if (!parsed.ok || !handlerOf(handlers, parsed.event)) break;
    fit.push({ event: parsed.event, message });
  }
  return fit;
}

function record<Tx extends Transaction>(
  { delivery: { event, message }, outcome, seconds }: Handled,
  dependencies: SettleDependencies<Tx>,
): void {
  const { metrics, logger } = dependencies;
  const labels = labelsOf(message, dependencies);
  metrics.seconds.observe(labels, seconds);
  metrics.events.inc({ ...labels, outcome });
  if (outcome === 'processed') dependencies.onProcessed?.(event);
  logger.debug({ ...placeOf(message), outcome }, 'message done');
}
