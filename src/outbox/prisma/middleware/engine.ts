import type { Logger } from '../../../shared/logger';
import { CaptureError } from '../../captureError';
import type { Capture, ClientFamily } from './clientFamily';
import { copyArgs } from './copyArgs';
import { asModelError } from './databaseErrors';
import { implicitOptions, type InteractiveTransaction, type Request } from '../internals';
import type { CapturedModel } from './model';
import type { Cascades } from './cascades';
import { refuseOwnCascades } from './ownCascades';
import type { NestedGraph } from './nested/graph';
import { planNested } from './nested/plan';
import { nestedStrategies } from './nested/strategies';
import type { NestedOperation } from './nested/write';
import { strategies } from './operations';
import type { Outcome } from './outcome';
import { refuseRawWrites } from './rawSql';
import type { Operation } from './request';
import type { Args } from './selection';
import type { Session } from './session';
import { inSavepoint } from './savepoint';
import type { TransactionUnit } from './unit';

export interface EngineOptions {
  readonly source: string;
  readonly logger: Logger;
  readonly onCommitted?: (() => void) | undefined;
}

/** Carries out captured writes: in the caller's transaction, or in one of their own. */
export class CaptureEngine implements Capture {
  constructor(
    private readonly family: ClientFamily,
    private readonly models: ReadonlyMap<string, CapturedModel>,
    private readonly graph: NestedGraph,
    private readonly cascades: Cascades,
    private readonly options: EngineOptions,
    /** Settles when Prisma's inside has been found to be as expected. */
    private readonly checked: Promise<void>,
  ) {}

  take(
    client: object,
    request: Request,
    transaction: InteractiveTransaction | undefined,
  ): Promise<unknown> | undefined {
    const { model, action, clientMethod } = request;
    if (model === undefined) {
      refuseRawWrites(this.models, clientMethod, request.args);
      return undefined;
    }
    if (!strategies.has(action)) return undefined;
    const args = copyArgs((request.args ?? {}) as Args);
    const plan = planNested(this.graph, model, action, args);
    const found = this.models.get(model) ?? (plan && this.graph.models.get(model));
    if (!found) return undefined;
    if (request.transaction && !transaction) throw foreignBatch(model, action);
    refuseOwnCascades(this.cascades, { model, action, args }, plan);
    const send: Operation['send'] = (sent) => this.family.sendCaptured(client, sent);
    const operation = { model: found, action, args, request, send };
    return this.#write(plan ? { ...operation, plan, graph: this.graph } : operation, transaction);
  }

  /** Settles as the plain operation would. */
  async #write(
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
    const unit = this.family.units.get(transaction.id);
    if (!unit || unit.closed) return this.#refuse(transaction);
    return unit.run(async () => {
      if (unit.closed) return this.#refuse(transaction);
      const session = this.#session(transaction.id);
      try {
        return await work(session, unit);
      } finally {
        unit.appended += session.appended;
        if (session.appended > 0) unit.onCommit.add(this.#committed);
      }
    });
  }

  readonly #committed = (): void => {
    try {
      this.options.onCommitted?.();
    } catch (error) {
      this.options.logger.warn({ err: error }, 'the callback after a commit failed');
    }
  };

  async #inCallers(
    operation: Operation | NestedOperation,
    transaction: InteractiveTransaction,
  ): Promise<unknown> {
    return this.within(transaction, async (session, unit) => {
      try {
        const work = async (): Promise<Outcome> => run(operation, session);
        const outcome =
          'plan' in operation ? await inSavepoint(session, unit, operation.model.name, work) : await work();
        if (!outcome.ok && outcome.rollbackOnly) unit.markRollbackOnly(outcome.rollbackOnly);
        await session.append(outcome.events, operation.model.name).catch((error: unknown) => {
          // Whatever the reason: the row is there without its events, and the caller may catch this.
          unit.markRollbackOnly(error as Error);
          throw outcome.ok ? error : outcome.error;
        });
        return resultOf(outcome);
      } catch (error) {
        unit.hasFailed = true;
        throw error;
      }
    });
  }

  async #inItsOwn(operation: Operation | NestedOperation): Promise<unknown> {
    const { engine } = this.family.internals;
    const info = await engine.transaction('start', {}, implicitOptions);
    const session = this.#session(info.id);
    let result: unknown;
    try {
      const outcome = await run(operation, session);
      result = resultOf(outcome);
      if (outcome.rollBack) {
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
      const { clientVersion } = this.family.internals;
      throw asModelError(error, { modelName: operation.model.name, clientVersion });
    }
    if (session.appended > 0) this.#committed();
    return result;
  }

  async #rollBack(info: { readonly id: string }): Promise<void> {
    await this.family.internals.engine.transaction('rollback', {}, info).catch((reason: unknown) => {
      this.options.logger.debug({ err: reason }, 'rolling back failed; the server has ended the transaction');
    });
  }

  #session(id: string): Session {
    return this.family.session(id, this.options.source);
  }

  /** Prisma says itself when the transaction has ended; if it has not, it was begun past `$transaction`. */
  async #refuse(transaction: InteractiveTransaction): Promise<never> {
    const unit = this.family.units.get(transaction.id);
    await unit?.ended;
    await this.#session(transaction.id).execute('SELECT 1', []);
    throw new CaptureError(
      'The transaction was begun before withCapture, or by an inner function of Prisma, so its events could be lost: ' +
        'begin it with $transaction after withCapture.',
    );
  }
}

function foreignBatch(model: string, action: string): CaptureError {
  return new CaptureError(
    `"${action}" of ${model} is part of a batch that was not begun with $transaction of its own client, so its events ` +
      'could not be part of it.',
  );
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
