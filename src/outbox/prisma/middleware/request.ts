import type { Row } from '../../mapping';
import type { InteractiveTransaction, Request } from '../internals';
import type { CapturedModel } from './model';
import { type Args, follow, widen } from './selection';

/** A caller's write, behind all extensions. */
export interface Operation {
  readonly model: CapturedModel;
  /** `create`, `updateMany`, … */
  readonly action: string;
  readonly args: Args;
  readonly request: Request;
  /** Sends the request in this form. */
  readonly send: (request: Request) => Promise<unknown>;
}

export interface RequestOptions {
  /** Another action of the same arguments, one that returns rows. */
  readonly action?: string;
  /** Changes the arguments. */
  readonly restrict?: (args: Args) => Args;
  /** The rows that the write may touch are locked, so that reading them again tells what it did. */
  readonly verifiable?: true;
  /** From what the database gave to what the caller's operation returns. */
  readonly result?: (rows: unknown) => unknown;
}

/** The caller's write as capture sends it: its arguments are changed, and the answer is watched. */
export class ModelRequest {
  /** What the database returned, once it has. */
  answer: unknown;
  answered = false;

  constructor(
    private readonly operation: Operation,
    private readonly options: RequestOptions = {},
  ) {}

  get verifiable(): boolean {
    return this.options.verifiable === true;
  }

  /** The rows returned; of a row that was returned twice, the later image. */
  rows(): Row[] {
    const { key } = this.operation.model;
    const byKey = new Map<unknown, Row>();
    for (const row of [this.answer ?? []].flat() as Row[]) byKey.set(row[key], row);
    return [...byKey.values()];
  }

  /** Settles as the caller's operation does. */
  async run(transaction: InteractiveTransaction): Promise<unknown> {
    const { args: given, model, request, send } = this.operation;
    const action = this.options.action ?? this.operation.action;
    const restricted = this.options.restrict?.(given) ?? given;
    const { args, narrow } = returnsRows(action)
      ? widen(model, restricted)
      : { args: restricted, narrow: (row: Record<string, unknown>) => row };
    const unpacker = (answer: unknown): unknown => this.#receive(answer, narrow);
    return send({ ...request, args, action, transaction, dataPath: [], unpacker });
  }

  #receive(answer: unknown, narrow: (row: Record<string, unknown>) => Record<string, unknown>): unknown {
    this.answer = answer;
    this.answered = true;
    if (this.options.result) return this.options.result(answer);
    if (Array.isArray(answer)) return answer.map((row: Record<string, unknown>) => narrow(row));
    return follow(narrow(answer as Record<string, unknown>), this.operation.request.dataPath);
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
