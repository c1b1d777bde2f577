import type { Part } from '../../test/integration/differential/explore';
import { countOf, type PlanName, planNames } from '../../test/integration/differential/plans';

export interface Wanted {
  readonly runs: number;
  readonly seed: number;
  readonly plan?: PlanName;
  readonly path?: string;
}

/**
 * Few enough that no process waits long for the last one and little is lost to whoever interrupts; not fewer, because a
 * part draws all numbers up to its first: a second for 400,000 of them.
 */
const sequencesPerPart = (count: number, workers: number): number =>
  Math.max(10, Math.min(200, Math.ceil(count / (20 * workers))));

/** A process needs the time of about a hundred sequences until it is warm. */
export const workersFor = (parts: readonly Part[], most: number): number =>
  Math.max(1, Math.min(most, Math.ceil(sequencesIn(parts) / 100)));

export const sequencesIn = (parts: readonly Part[]): number =>
  parts.reduce((sum, { count }) => sum + count, 0);

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
