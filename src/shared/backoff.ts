export interface BackoffOptions {
  /** Pause before the first retry, in milliseconds. */
  initialMs: number;
  /** Longest pause, in milliseconds. */
  maxMs: number;
}

/**
 * The pause before retry number `attempt` (from 1), in milliseconds: doubled each time, capped, with "equal
 * jitter", so that many clients do not return at the same moment and none returns at once.
 * `random` gives numbers in [0, 1). Source: AWS Architecture Blog, "Exponential Backoff And Jitter" (2015).
 */
export function backoffMs(
  attempt: number,
  { initialMs, maxMs }: BackoffOptions,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxMs, initialMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (random() * ceiling) / 2);
}
