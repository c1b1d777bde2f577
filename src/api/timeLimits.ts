/** How the time that a request may take is divided, in milliseconds. */
export interface TimeLimits {
  /** Longest wait for its turn. */
  readonly waitMs: number;
  /** Longest wait for a connection: there is one for each request that has its turn, so it is the time to connect. */
  readonly acquireTimeoutMs: number;
  /** Longest time that one statement may take in the database, its waiting for locks included. */
  readonly statementTimeoutMs: number;
  /** Longest wait for a server that says nothing at all; then the connection is dropped. */
  readonly queryTimeoutMs: number;
  /** Longest time that a transaction may lie idle in the database; over when the request has been answered. */
  readonly idleInTransactionTimeoutMs: number;
}

/**
 * Divides the time of a request so that the database gives up before the request does: a request that waited as long as
 * it may, for its turn and then for a lock, is still answered by its own error before its deadline.
 */
export function timeLimits(requestTimeoutMs: number): TimeLimits {
  const third = Math.ceil(requestTimeoutMs / 3);
  return {
    waitMs: Math.ceil(requestTimeoutMs / 2),
    acquireTimeoutMs: third,
    statementTimeoutMs: third,
    queryTimeoutMs: requestTimeoutMs,
    idleInTransactionTimeoutMs: requestTimeoutMs,
  };
}
