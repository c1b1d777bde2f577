/**
 * What a handler throws when no further attempt can succeed: the message becomes a dead letter at once.
 * The reason is published in a header and logged: name ids and rules in it, never a value of a person.
 */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError';
}

/**
 * What a handler throws when a later attempt may succeed. Any other error is treated the same, but shows no reason,
 * because the messages of errors that we do not know may quote values. What is said of PermanentError's reason holds.
 */
export class TransientError extends Error {
  override readonly name: string = 'TransientError';
}

/**
 * What a handler throws when something that every message needs is away, a mail server, say: it is waited for as long
 * as it takes, and no message is given up for it. What is said of PermanentError's reason holds.
 */
export class UnavailableError extends Error {
  override readonly name: string = 'UnavailableError';
}

const longestPostponementMs = 30 * 24 * 3_600_000;

/**
 * What a handler throws for "not now": the event is put aside in Postgres and its partition goes on. It is tried again
 * at its time, by any process of the consumer, until the consumer's patience ends; then it becomes a dead letter. What
 * the handler wrote before is rolled back. What is said of PermanentError's reason holds.
 */
export class PostponeError extends Error {
  override readonly name: string = 'PostponeError';
  /** In how many milliseconds; undefined: after growing pauses from a minute to an hour. */
  readonly afterMs: number | undefined;

  /** @throws RangeError when `afterMs` is not between 0 and 30 days. */
  constructor(reason: string, { afterMs, ...options }: ErrorOptions & { afterMs?: number } = {}) {
    super(reason, options);
    if (afterMs !== undefined && !(afterMs >= 0 && afterMs <= longestPostponementMs))
      throw new RangeError(`PostponeError: afterMs is ${afterMs}, expected 0 to ${longestPostponementMs}`);
    this.afterMs = afterMs;
  }
}
