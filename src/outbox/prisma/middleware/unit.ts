/*
 * One interactive transaction of a caller, from its begin to its end.
 *
 * State: `open` until the callback has returned and every write that it had started is done, then `closed`. Writes run
 * one after the other: two captured writes of one row that interleave would both read the image before the first.
 * Beginning and end of a nested transaction take their turn in the same queue, so that no savepoint comes between a
 * write and its events. The connection runs one statement at a time anyway, so little is lost.
 *
 * `markRollbackOnly` makes the transaction fail at its end: it contains a write without its events, and the caller may
 * have caught the error. Rolling back to a savepoint before that write takes the mark away.
 */
export class TransactionUnit {
  /** Events appended so far that no savepoint has undone. */
  appended = 0;
  /** Called after the commit of a transaction with events: one for each engine that has appended some. */
  readonly onCommit = new Set<() => void>();
  /** Whether any operation has failed: the server may have aborted the transaction although the caller went on. */
  hasFailed = false;
  /** Why the transaction must not be committed; undefined while it may. */
  rollbackOnly: Error | undefined;
  /** Settles when the transaction has been committed or rolled back. */
  readonly ended: Promise<void>;
  #markEnded: () => void = () => undefined;
  #others = 0;
  #othersUnderWay = 0;
  #closed = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#markEnded = resolve;
    });
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Runs `work` when everything asked for before is done. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    const release = await this.acquire();
    try {
      return await work();
    } finally {
      release();
    }
  }

  /** Waits for its turn and keeps it until the returned function is called; calling it again does nothing. */
  async acquire(): Promise<() => void> {
    const previous = this.#last;
    let release: () => void = () => undefined;
    this.#last = new Promise<void>((resolve) => {
      release = resolve;
    });
    await previous;
    return release;
  }

  /** Runs a write that capture has no part in: at once, but noted. */
  async runOther<T>(work: () => Promise<T>): Promise<T> {
    this.#others++;
    this.#othersUnderWay++;
    try {
      return await work();
    } finally {
      this.#othersUnderWay--;
    }
  }

  /** Tells later whether any such write has run since, or was running already. */
  watchOthers(): { none(): boolean } {
    const [before, clear] = [this.#others, this.#othersUnderWay === 0];
    return { none: () => clear && this.#others === before };
  }

  end(): void {
    this.#closed = true;
    this.#markEnded();
  }

  /** The first cause counts. */
  markRollbackOnly(cause: Error): void {
    this.rollbackOnly ??= cause;
  }

  /** @throws the cause with which the transaction was marked. */
  assertCommittable(): void {
    if (this.rollbackOnly) throw this.rollbackOnly;
  }

  /** Waits for every write that has been started; later ones find the transaction closed. */
  async close(): Promise<void> {
    await settle();
    const release = await this.acquire();
    this.#closed = true;
    release();
  }
}

/**
 * A write that was started, but not awaited, reaches the queue some microtasks after its start: one for each extension
 * on its way. Prisma lets such a write into the transaction that is about to commit, so its events must get in too.
 */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
