import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Generous: it only bounds how long a failing test takes. */
  readonly deadlineMs?: number;
  /** Completes the sentence "Waited 30 s in vain for …". */
  readonly what: string | (() => string);
  readonly intervalMs?: number;
}

/**
 * Polls until the condition yields something other than undefined, null and false, and returns that. A condition
 * that throws ends the wait at once: a check that can't be made is no "not yet".
 */
export async function waitFor<T>(
  condition: () => Promise<T | undefined | null | false> | T | undefined | null | false,
  { deadlineMs = 30_000, what, intervalMs = 20 }: WaitOptions,
): Promise<T> {
  const started = Date.now();
  for (;;) {
    const result = await condition();
    if (result !== undefined && result !== null && result !== false) return result;
    const waitedMs = Date.now() - started;
    if (waitedMs >= deadlineMs)
      throw new Error(
        `Waited ${(waitedMs / 1000).toFixed(1)} s in vain for ${typeof what === 'string' ? what : what()}.`,
      );
    await sleep(intervalMs);
  }
}

/** Settles as `promise` does, unless that takes longer than the deadline. */
export async function within<T>(promise: Promise<T>, { deadlineMs = 30_000, what }: WaitOptions): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    const message = `Waited ${(deadlineMs / 1000).toFixed(1)} s in vain for ${typeof what === 'string' ? what : what()}.`;
    timer = setTimeout(() => reject(new Error(message)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
