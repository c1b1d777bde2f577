import type { Row } from '../mapping';
import { CaptureError } from './captureError';
import { executeAs, type InteractiveTransaction, type Query, type RequestParams } from './internals';
import type { CapturedModel } from './model';
import { type Args, follow, widen } from './selection';

/** A caller's write as the query hook got it. */
export interface Operation {
  readonly model: CapturedModel;
  /** `create`, `updateMany`, … */
  readonly action: string;
  readonly args: Args;
  readonly query: Query;
  readonly params: RequestParams;
  /** @throws CaptureError when arguments on their way out say something else about relations than the caller did. */
  readonly assertPlanned: (args: Args) => void;
}

export interface RequestOptions {
  /** Another action of the same arguments, one that returns rows. */
  readonly action?: string;
  /** Changes the arguments when they are sent. */
  readonly restrict?: (args: Args) => Args;
  /** The rows that the write may touch are locked, so that reading them again tells what it did. */
  readonly verifiable?: true;
  /** From what the database gave to what the caller's operation returns. */
  readonly result?: (rows: unknown) => unknown;
}

/**
 * The caller's write on its way through the extensions that were applied after ours. It is changed where it is sent and
 * watched where the answer comes in, both behind all extensions: what they do to arguments and results can neither
 * lead the write past the lock nor hide a row from the events. An extension may also send it twice, or not at all.
 */
export class ModelRequest {
  /** What the database returned, in the order of the answers. */
  readonly answers: unknown[] = [];
  /** The arguments last sent. */
  sentArgs: Args | undefined;
  #sent = 0;
  #over = false;

  constructor(
    private readonly operation: Operation,
    private readonly options: RequestOptions = {},
  ) {}

  get verifiable(): boolean {
    return this.options.verifiable === true;
  }

  get sent(): boolean {
    return this.#sent > 0;
  }

  /** Whether a request was sent that has not been answered: it failed, or is still under way. */
  get pending(): boolean {
    return this.#sent > this.answers.length;
  }

  get answered(): boolean {
    return this.answers.length > 0;
  }

  /** The rows returned; of a row that was returned twice, the later image. */
  rows(): Row[] {
    const { key } = this.operation.model;
    const byKey = new Map<unknown, Row>();
    for (const row of this.answers.flat() as Row[]) byKey.set(row[key], row);
    return [...byKey.values()];
  }

  /** Settles as the caller's operation does. */
  async run(transaction: InteractiveTransaction): Promise<unknown> {
    const { args, params, query } = this.operation;
    const copy = executeAs(
      {
        ...params,
        dataPath: [],
        transaction,
        argsMapper: (sent) => this.#send(sent as Args | undefined),
        unpacker: (answer) => this.#receive(answer),
      },
      this.options.action ?? params.action,
    );
    try {
      return await query(args, copy).requestTransaction(transaction);
    } finally {
      // Result extensions look at the arguments as the last extension left them.
      params.args = copy.args;
    }
  }

  /** From now on nothing may be sent any more: nobody would see to its events. */
  end(): void {
    this.#over = true;
  }

  #narrow: (row: Record<string, unknown>) => Record<string, unknown> = (row) => row;

  #send(args: Args = {}): Args {
    if (this.#over)
      throw new CaptureError(`An extension sent "${this.operation.action}" after it had returned`);
    this.operation.assertPlanned(args);
    const restricted = this.options.restrict?.(args) ?? args;
    const widened = returnsRows(this.options.action ?? this.operation.action)
      ? widen(this.operation.model, restricted)
      : { args: restricted, narrow: (row: Record<string, unknown>) => row };
    this.#sent++;
    this.#narrow = widened.narrow;
    this.sentArgs = widened.args;
    return widened.args;
  }

  #receive(answer: unknown): unknown {
    this.answers.push(answer);
    if (this.options.result) return this.options.result(answer);
    if (Array.isArray(answer)) return answer.map((row: Record<string, unknown>) => this.#narrow(row));
    return follow(this.#narrow(answer as Record<string, unknown>), this.operation.params.dataPath);
  }
}

const returnsRows = (action: string): boolean => action !== 'deleteMany';

/** Whether the caller's `where` is nothing but the key's value. */
export function isKeyOnly(model: CapturedModel, where: unknown): where is Args {
  if (typeof where !== 'object' || where === null) return false;
  const given = Object.entries(where).filter(([, value]) => value !== undefined);
  return given.length === 1 && given[0]?.[0] === model.key;
}

/** Adds to the arguments' `where` that the row is one of these. */
export function onlyKeys(model: CapturedModel, keys: readonly unknown[], args: Args): Args {
  const where = (args['where'] ?? {}) as Args;
  if (keys.length === 1 && isKeyOnly(model, where) && where[model.key] === keys[0]) return args;
  const and = where['AND'] === undefined ? [] : [where['AND']].flat();
  return { ...args, where: { ...where, AND: [...and, { [model.key]: { in: [...keys] } }] } };
}
