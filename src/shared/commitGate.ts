import { AsyncLocalStorage } from 'node:async_hooks';

/*
 * A request that has been answered "not carried out" must never be carried out afterwards, and one whose COMMIT was
 * sent must not be answered so. Both are decided here: FencedPrismaPg sends every COMMIT, and every write that commits
 * by itself, through the gate of the work that it belongs to.
 */

/** Stands between a piece of work and its commits. Once it is closed, nothing of that work is committed any more. */
export class CommitGate {
  readonly #closing = new AbortController();
  #underWay = 0;
  #mayHaveCommitted = false;

  /** Aborted when the gate is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Whether anything of the work was committed, is being committed now, or was sent without learning the outcome. */
  get mayHaveCommitted(): boolean {
    return this.#mayHaveCommitted || this.#underWay > 0;
  }

  /** May be called again. A commit that is under way goes on: `mayHaveCommitted` says so. */
  close(): void {
    this.#closing.abort();
  }

  /** Sends something that commits and keeps what became of it. The caller has seen that the gate is open. */
  async commit<T>(send: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    try {
      const result = await send();
      this.#mayHaveCommitted = true;
      return result;
    } catch (error) {
      if (!wasRolledBack(error)) this.#mayHaveCommitted = true;
      throw error;
    } finally {
      this.#underWay -= 1;
    }
  }
}

const current = new AsyncLocalStorage<CommitGate | undefined>();

/** Runs work whose commits pass through `gate`. */
export function runBehindGate<T>(gate: CommitGate, work: () => T): T {
  return current.run(gate, work);
}

/** Runs work that several requests share: the end of one of them must not stop it. */
export function runWithoutGate<T>(work: () => T): T {
  return current.run(undefined, work);
}

/** The gate of the work that is running; undefined for work without one. */
export function currentGate(): CommitGate | undefined {
  return current.getStore();
}

/**
 * Whether the server has said that it did not commit. A server that is being shut down (57P), lost the connection (08)
 * or failed itself (58, XX) may have committed before that, and so may one that said nothing at all.
 */
function wasRolledBack(error: unknown): boolean {
  const cause = (error as { cause?: { originalCode?: unknown } } | null)?.cause;
  const sqlState = cause?.originalCode;
  return typeof sqlState === 'string' && /^\d[0-9A-Z]{4}$/.test(sqlState) && !/^(08|57P|58)/.test(sqlState);
}
