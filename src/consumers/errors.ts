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
