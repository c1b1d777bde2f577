import { CaptureError } from '../../captureError';
import type { ClientFamily } from './clientFamily';
import {
  type InteractiveTransaction,
  isLazyPromise,
  type LazyPromise,
  type Transact,
  transactionIdOf,
} from '../internals';
import { settle, TransactionUnit } from './unit';

/*
 * `$transaction` of all clients of a family. Prisma's own does the work; around the callback the transaction's unit is kept.
 *
 * A batch (`$transaction([…])`) becomes one interactive transaction that runs the promises in their order: same limits,
 * same isolation level, same statements. Within a batch of Prisma's own, capture could not read or add anything. A batch
 * that is begun through a transaction's client is a nested transaction. (Prisma itself runs such a batch outside the
 * transaction, or inside but not as a unit, depending on whether the client has an extension.)
 */

type Callback = (tx: object) => Promise<unknown>;

/** Marks a promise's transaction as one of ours, with the interactive transaction that it really belongs to. */
const joined = Symbol('signalbox.joined');

/** The interactive transaction that a promise of a batch belongs to; undefined for any other transaction. */
export function joinedTransaction(transaction: object | undefined): InteractiveTransaction | undefined {
  const marked: { readonly [joined]?: InteractiveTransaction } | undefined = transaction;
  return marked?.[joined];
}

export class Transactions {
  constructor(
    private readonly family: ClientFamily,
    /** `$transaction` as it was before. */
    private readonly previous: Transact,
  ) {}

  async begin(client: object, input: unknown, options: unknown): Promise<unknown> {
    const callback = this.#callbackOf(input);
    if (!callback) return this.previous.call(client, input, options);
    const id = transactionIdOf(client);
    const outer = id === undefined ? undefined : this.family.units.get(id);
    return outer
      ? this.#nested(client, outer, callback, options)
      : this.#interactive(client, callback, options);
  }

  #callbackOf(input: unknown): Callback | undefined {
    if (typeof input === 'function') return input as Callback;
    if (!Array.isArray(input) || !this.#mustConvert(input)) return undefined;
    return (tx) => runInOrder(tx, input);
  }

  /** Converts a batch only if all elements are Prisma promises and at least one may be a captured write. */
  #mustConvert(promises: unknown[]): promises is LazyPromise[] {
    const { uncaptured, cascades } = this.family;
    const mayConcern = ({ spec }: LazyPromise): boolean =>
      uncaptured.mayConcern(spec) || cascades.concerns({ model: spec?.model, action: spec?.action ?? '' });
    return promises.every(isLazyPromise) && promises.some(mayConcern);
  }

  async #interactive(client: object, callback: Callback, options: unknown): Promise<unknown> {
    const unit = new TransactionUnit();
    let id = '';
    try {
      const result = await this.previous.call(
        client,
        async (tx: object) => {
          id = idOf(tx);
          this.family.units.set(id, unit);
          const value = await callback(tx);
          await unit.close();
          unit.assertCommittable();
          if (unit.appended > 0 && unit.hasFailed) await this.#checkAlive(id, unit);
          return value;
        },
        options,
      );
      if (unit.appended > 0) for (const committed of unit.onCommit) committed();
      return result;
    } finally {
      unit.end();
      this.family.units.delete(id);
    }
  }

  /**
   * A caught error may have made the server give up the transaction: then COMMIT rolls back and nobody is told. That
   * is as it would be without capture, but nothing has been committed.
   */
  async #checkAlive(id: string, unit: TransactionUnit): Promise<void> {
    try {
      await this.family.session(id).execute('SELECT 1', []);
    } catch {
      unit.appended = 0;
    }
  }

  /**
   * A savepoint. Its beginning and its end take their turn among the writes. What it undoes does not count any more: its
   * events, and a write without events.
   */
  async #nested(
    client: object,
    unit: TransactionUnit,
    callback: Callback,
    options: unknown,
  ): Promise<unknown> {
    const { appended, rollbackOnly } = unit;
    let release = await unit.acquire();
    const run = async (tx: object): Promise<unknown> => {
      release();
      try {
        return await callback(tx);
      } finally {
        await settle();
        release = await unit.acquire();
      }
    };
    try {
      return await this.previous.call(
        client,
        async (tx: object) => {
          const value = await run(tx);
          if (unit.rollbackOnly !== rollbackOnly) unit.assertCommittable();
          return value;
        },
        options,
      );
    } catch (error) {
      unit.appended = Math.min(unit.appended, appended);
      unit.rollbackOnly = rollbackOnly;
      throw error;
    } finally {
      release();
    }
  }
}

function idOf(tx: object): string {
  const id = transactionIdOf(tx);
  if (id === undefined)
    throw new CaptureError("Prisma's transaction client does not tell its transaction any more");
  return id;
}

async function runInOrder(tx: object, promises: readonly LazyPromise[]): Promise<unknown[]> {
  const transaction: InteractiveTransaction = { kind: 'itx', id: idOf(tx) };
  const results: unknown[] = [];
  for (const [index, promise] of promises.entries()) {
    results.push(await promise.requestTransaction(batchTransaction(transaction, index)));
  }
  return results;
}

/**
 * Claims a promise as an element of a batch, which Prisma lets happen again and again (an interactive transaction gets
 * a promise's first result for ever, and a retry of the same array would do nothing). The family puts the real transaction
 * in its place. Prisma waits for `lock` before it sends an element of a batch: so a promise of a client that is not of
 * the family ends there, before anything is sent.
 */
function batchTransaction(transaction: InteractiveTransaction, index: number): object {
  const lock = {
    // oxlint-disable-next-line unicorn/no-thenable -- a promise would count as unhandled when Prisma drops it
    then(_resolve?: unknown, reject?: (error: Error) => void): void {
      reject?.(
        new CaptureError(
          'An element of $transaction([…]) comes from another PrismaClient, and would run outside the transaction: ' +
            'make all elements with the client whose $transaction runs them.',
        ),
      );
    },
  };
  return { kind: 'batch', id: `${transaction.id}:${index}`, index, lock, [joined]: transaction };
}
