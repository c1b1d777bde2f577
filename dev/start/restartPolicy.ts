import { backoffMs } from '../../src/shared/backoff';

export interface RestartPolicy {
  /** Crashes within the window that are forgiven. */
  readonly limit: number;
  /** A part that ran this long since its last crash has its earlier crashes forgotten, in milliseconds. */
  readonly windowMs: number;
  readonly initialMs: number;
  readonly maxMs: number;
}

export const defaultPolicy: RestartPolicy = { limit: 5, windowMs: 60_000, initialMs: 500, maxMs: 8_000 };

/**
 * What to do after the last of `crashes` (times in milliseconds, in order): restart after a pause, as the n-th
 * attempt of the policy's limit, or give up. Pure: randomness is passed in.
 */
export function afterCrash(
  crashes: readonly number[],
  policy: RestartPolicy = defaultPolicy,
  random: () => number = Math.random,
): { restartInMs: number; attempt: number } | 'give up' {
  const attempt = crashesInARow(crashes, policy.windowMs);
  if (attempt > policy.limit) return 'give up';
  return { restartInMs: backoffMs(attempt, policy, random), attempt };
}

/** How many of the last crashes followed each other within the window. */
function crashesInARow(crashes: readonly number[], windowMs: number): number {
  let count = 0;
  let next: number | undefined;
  for (const crash of crashes.toReversed()) {
    if (next !== undefined && next - crash > windowMs) break;
    count += 1;
    next = crash;
  }
  return count;
}
