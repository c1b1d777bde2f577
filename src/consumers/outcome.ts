import type { Failure } from './failurePolicy';

/** What became of a delivery. */
export type Outcome =
  | { readonly kind: 'processed' }
  /** It had been processed before, or is being processed elsewhere by now: nothing was done. */
  | { readonly kind: 'duplicate' }
  /** It is put aside behind an earlier event of its aggregate. */
  | { readonly kind: 'postponed' }
  /** It is done with and its effect did not happen: the command has expired, or what it is about has changed. */
  | { readonly kind: 'not_wanted'; readonly reason: 'expired' | 'not_wanted' }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly error?: unknown };

/** The outcome of an attempt that failed. */
export function failed(failure: Failure, error?: unknown): Outcome {
  return { kind: 'failed', failure, error };
}
