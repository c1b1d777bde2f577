import fc from 'fast-check';
import { Divergence, runSequence } from './compare';
import type { Subject } from './databases';
import { plans, type PlanName } from './plans';
import { printSequence } from './print';
import { sequences } from './sequences';
import type { Step } from './steps';
import { newTally, type Tally } from './tally';

/**
 * Some of the sequences that a seed stands for. The seed and the number of a sequence say what it is, so that any part
 * can be run by itself and all of them in any order.
 */
export interface Part {
  readonly plan: PlanName;
  readonly seed: number;
  /** The number of the first sequence; or what a failure has printed, which leads to a simplified one. */
  readonly path: string;
  readonly count: number;
}

/** What hears of each sequence. */
export interface Listener {
  readonly ran: (tally: Tally) => void;
  /** The first sequence that diverges; simpler ones are tried now. */
  readonly diverged: () => void;
}

/** Runs sequences until one diverges; then gives a text with the smallest one that still does. */
export async function explore(
  subjects: readonly Subject[],
  { plan, seed, path, count }: Part,
  { ran, diverged }: Listener,
): Promise<string | undefined> {
  const { anyLimit } = plans[plan];
  let searching = true;
  const property = fc.asyncProperty(sequences({ anyLimit }), async (steps) => {
    const tally = newTally();
    try {
      await runSequence(subjects, steps, tally, !anyLimit);
    } catch (error) {
      if (searching) diverged();
      searching = false;
      throw error;
    }
    if (searching) ran({ ...tally, sequences: 1 });
  });
  const details = await fc.check(property, { seed, path, numRuns: count });
  return details.failed ? report(plan, details) : undefined;
}

function report(plan: PlanName, details: fc.RunDetails<[Step[]]>): string {
  const { counterexample, counterexamplePath, numShrinks, errorInstance, seed } = details;
  const path = counterexamplePath ?? '';
  return [
    `Sequence ${path.split(':')[0]} of seed ${seed} diverges. The smallest that still does, after ${numShrinks} simplifications:`,
    '',
    counterexample ? printSequence(counterexample[0]) : '(none)',
    '',
    errorInstance instanceof Divergence ? errorInstance.message : String(errorInstance),
    '',
    `Again: npm run test:differential -- --plan ${plan} --seed ${seed} --path ${path}`,
  ].join('\n');
}
