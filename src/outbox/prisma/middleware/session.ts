import { currentContext } from '../../context';
import { appendEvents, type Execute } from '../../append';
import type { MappedEvent, Row } from '../../mapping';
import { asModelError, type FailedOperation, writeConflict } from './databaseErrors';
import {
  type BaseClient,
  type ExecuteRequest,
  type HandledTransaction,
  handler,
  type Internals,
} from '../internals';
import type { CapturedModel } from './model';

/*
 * The statements that capture adds to a write, all in one transaction, all on the client without extensions: no filter of
 * an extension may hide a row from them.
 */
export class Session {
  /** Events appended through this session. */
  appended = 0;
  readonly transaction: HandledTransaction;

  constructor(
    /** Of the interactive transaction, by Prisma's name for it. */
    id: string,
    private readonly internals: Pick<Internals, 'base' | 'clientVersion'>,
    /** Sends a request as it is. */
    send: ExecuteRequest,
    private readonly source: string,
  ) {
    this.transaction = { kind: 'itx', id, [handler]: (client, request) => send.call(client, request) };
  }

  readonly execute: Execute = async (sql, parameters) =>
    this.internals.base.$queryRawUnsafe(sql, ...parameters).requestTransaction(this.transaction);

  async append(events: readonly MappedEvent[], modelName: string): Promise<string[]> {
    if (events.length === 0) return [];
    try {
      const ids = await appendEvents(this.execute, events, {
        source: this.source,
        context: currentContext(),
      });
      this.appended += ids.length;
      return ids;
    } catch (error) {
      throw asModelError(error, this.operationOf(modelName));
    }
  }

  /** What an error of this session's statements says of the operation for which they were sent. */
  operationOf(modelName: string): FailedOperation {
    return { modelName, clientVersion: this.internals.clientVersion };
  }

  /** Keys of the rows that a `where` of the caller's finds. */
  async findMany(model: CapturedModel, where: unknown, take: number | undefined): Promise<unknown[]> {
    const args = { where, select: { [model.key]: true }, ...(take === undefined ? {} : { take }) };
    const rows = await this.#delegate(model).findMany(args).requestTransaction(this.transaction);
    return (rows as Row[]).map((row) => row[model.key]);
  }

  /** The key of the row that a unique `where` of the caller's finds, in a list. */
  async findUnique(model: CapturedModel, where: unknown): Promise<unknown[]> {
    const args = { where, select: { [model.key]: true } };
    const row = (await this.#delegate(model)
      .findUnique(args)
      .requestTransaction(this.transaction)) as Row | null;
    return row ? [row[model.key]] : [];
  }

  /** Locks rows and returns their images in the order of their keys: what nobody else can change from now on. */
  async lock(model: CapturedModel, keys: readonly unknown[], strength: LockStrength): Promise<Row[]> {
    return this.#images(model, keys, ` FOR ${strength}`);
  }

  /** The images of rows as this transaction sees them. */
  async read(model: CapturedModel, keys: readonly unknown[]): Promise<Row[]> {
    return this.#images(model, keys, '');
  }

  async #images(model: CapturedModel, keys: readonly unknown[], suffix: string): Promise<Row[]> {
    if (keys.length === 0) return [];
    // The parameter has no type of its own, so that it takes the column's, whatever that is.
    const [condition, parameter] = keys.length === 1 ? ['= $1', keys[0]] : ['= ANY($1)', keys];
    const order = keys.length === 1 ? '' : ` ORDER BY ${model.sqlKey}`;
    return this.select(model, `${model.sqlKey} ${condition}${order}${suffix}`, [parameter]);
  }

  /**
   * The images of rows that a condition in SQL finds.
   *
   * A transaction whose snapshot is older than a DELETE of somebody else's may create a row of the same key, and then
   * sees both. Which image a statement of Prisma's takes is chance: that is a conflict, as when it had changed the row.
   */
  async select(model: CapturedModel, condition: string, parameters: readonly unknown[]): Promise<Row[]> {
    const sql = `SELECT ${model.sqlColumns} FROM ${model.sqlName} WHERE ${condition}`;
    try {
      const rows = (await this.execute(sql, parameters)) as Row[];
      if (new Set(rows.map((row) => row[model.key])).size < rows.length)
        throw writeConflict(this.operationOf(model.name));
      return model.labels.size === 0 ? rows : rows.map((row) => relabelled(model, row));
    } catch (error) {
      throw asModelError(error, this.operationOf(model.name));
    }
  }

  #delegate(model: CapturedModel): BaseClient[string] {
    const delegate = this.internals.base[model.name];
    if (!delegate) throw new Error(`The client has no model "${model.name}"`);
    return delegate;
  }
}

/** An UPDATE of columns that are part of no key leaves room for those who only refer to the row, and so must its lock. */
export type LockStrength = 'UPDATE' | 'NO KEY UPDATE' | 'KEY SHARE';

/** Raw reads give an enum's label in the database; Prisma's results its member's name. */
function relabelled(model: CapturedModel, row: Row): Row {
  const named = [...model.labels].map(([field, members]) => [
    field,
    members.get(String(row[field])) ?? row[field],
  ]);
  return { ...row, ...(Object.fromEntries(named) as Row) };
}
