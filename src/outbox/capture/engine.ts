import type { Logger } from '../../shared/logger';
import { CaptureError } from './captureError';
import { asModelError, isDatabaseError } from './databaseErrors';
import { implicitOptions, type Internals, type InteractiveTransaction } from './internals';
import type { CapturedModel } from './model';
import { nestedStrategies } from './nested/strategies';
import type { NestedOperation } from './nested/write';
import { strategies } from './operations';
import type { Outcome } from './outcome';
import type { Operation } from './request';
import { Session } from './session';
import { undoable } from './undo';
import { TransactionUnit } from './unit';

export interface EngineOptions {
  readonly source: string;
  readonly logger: Logger;
  readonly onCommitted?: (() => void) | undefined;
}

/** Carries out captured writes: in the caller's transaction, or in one of their own. */
export class CaptureEngine {
  /** Interactive transactions under way, by Prisma's id. */
  readonly units = new Map<string, TransactionUnit>();

  constructor(
    readonly internals: Internals,
    readonly models: ReadonlyMap<string, CapturedModel>,
    private readonly options: EngineOptions,
    /** Settles when Prisma's inside has been found to be as expected. */
    private readonly checked: Promise<void>,
  ) {}

  /** Settles as the plain operation would. */
  async write(
    operation: Operation | NestedOperation,
    transaction: InteractiveTransaction | undefined,
  ): Promise<unknown> {
    await this.checked;
    return transaction ? this.#inCallers(operation, transaction) : this.#inItsOwn(operation);
  }

  /** A session in a transaction of a caller's, when it is its turn. */
  async within<T>(
    transaction: InteractiveTransaction,
    work: (session: Session, unit: TransactionUnit) => Promise<T>,
  ): Promise<T> {
    const unit = this.units.get(transaction.id);
    if (!unit || unit.closed) return this.#refuse(transaction);
    return unit.run(async () => {
      if (unit.closed) return this.#refuse(transaction);
      const session = this.#session(transaction);
      try {
        return await work(session, unit);
      } finally {
        unit.appended += session.appended;
      }
    });
  }

  /** Tells that a transaction with events has been committed. */
  committed(): void {
    try {
      this.options.onCommitted?.();
    } catch (error) {
      this.options.logger.warn({ err: error }, 'the callback after a commit failed');
    }
  }

  async #inCallers(
    operation: Operation | NestedOperation,
    transaction: InteractiveTransaction,
  ): Promise<unknown> {
    return this.within(transaction, async (session, unit) => {
      try {
        const work = async (): Promise<Outcome> => run(operation, session);
        const outcome =
          'plan' in operation ? await undoable(session, unit, operation.model.name, work) : await work();
        if (!outcome.ok && outcome.doubt) unit.doom(outcome.doubt);
        await session.append(outcome.events, operation.model.name).catch((error: unknown) => {
          if (!isDatabaseError(error)) unit.doom(error as Error);
          throw outcome.ok ? error : outcome.error;
        });
        return resultOf(outcome);
      } catch (error) {
        unit.sawError = true;
        throw error;
      }
    });
  }

  async #inItsOwn(operation: Operation | NestedOperation): Promise<unknown> {
    const { engine } = this.internals;
    const info = await engine.transaction('start', {}, implicitOptions);
    const session = this.#session({ kind: 'itx', id: info.id });
    let result: unknown;
    try {
      const outcome = await run(operation, session);
      result = resultOf(outcome);
      if (outcome.undo) {
        await this.#rollBack(info);
        return result;
      }
      await session.append(outcome.events, operation.model.name);
    } catch (error) {
      await this.#rollBack(info);
      throw error;
    }
    try {
      await engine.transaction('commit', {}, info);
    } catch (error) {
      throw asModelError(error, operation.model.name);
    }
    if (session.appended > 0) this.committed();
    return result;
  }

  async #rollBack(info: { readonly id: string }): Promise<void> {
    await this.internals.engine.transaction('rollback', {}, info).catch((reason: unknown) => {
      this.options.logger.debug({ err: reason }, 'rolling back failed; the server has ended the transaction');
    });
  }

  #session(transaction: InteractiveTransaction): Session {
    return new Session(transaction, this.internals.base, this.options.source);
  }

  /** Prisma says itself when the transaction has ended; if it has not, it was begun behind capture's back. */
  async #refuse(transaction: InteractiveTransaction): Promise<never> {
    const unit = this.units.get(transaction.id);
    await unit?.ended;
    await this.#session(transaction).execute('SELECT 1', []);
    throw new CaptureError(
      'The transaction was not begun through $transaction of the client that withCapture returned, so its events ' +
        'could be lost: begin it there, or apply the extension that begins it before withCapture.',
    );
  }
}

async function run(operation: Operation | NestedOperation, session: Session): Promise<Outcome> {
  const outcome =
    'plan' in operation
      ? nestedStrategies.get(operation.action)?.(operation, session)
      : strategies.get(operation.action)?.(operation, session);
  if (!outcome) throw new CaptureError(`Capture does not know the operation "${operation.action}"`);
  return outcome;
}

function resultOf(outcome: Outcome): unknown {
  if (outcome.ok) return outcome.result;
  throw outcome.error;
}
