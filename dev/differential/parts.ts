import type { Part } from '../../test/integration/differential/explore';
import { countOf, type PlanName, planNames } from '../../test/integration/differential/plans';

export interface Wanted {
  readonly runs: number;
  readonly seed: number;
  readonly plan?: PlanName;
  readonly path?: string;
}

/**
 * Large enough that finding a part's first sequence costs nothing against it (all before it are drawn, though not
 * made), small enough that no process waits long for the last one.
 */
const sequencesPerPart = (count: number, workers: number): number =>
  Math.max(10, Math.ceil(count / (20 * workers)));

/** Cuts a run into parts that may be run side by side. */
export function partsOf({ runs, seed, plan, path }: Wanted, workers: number): Part[] {
  if (path !== undefined) return [{ plan: plan ?? 'alone', seed, path, count: 1 }];
  return (plan ? [plan] : planNames).flatMap((each) => {
    const total = countOf(each, runs);
    const size = sequencesPerPart(total, workers);
    return Array.from({ length: Math.ceil(total / size) }, (_, nr) => ({
      plan: each,
      seed,
      path: String(nr * size),
      count: Math.min(size, total - nr * size),
    }));
  });
}
