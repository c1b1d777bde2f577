import { Prisma, type PrismaClient } from '../../generated/prisma/client';
import { FencedPrismaPg } from '../../shared/fencedPrismaPg';
import { CaptureError } from './captureError';

/*
 * All that capture knows of Prisma's inside, in one place: docs/decisions/0002 says why it needs it. The versions of
 * Prisma are pinned; `readInternals` checks the shapes when the client is created, `probe` the behaviour before the
 * first write, so that an upgrade that breaks an assumption is an error that says so and never a lost event.
 */

/** Marks an operation as part of an interactive transaction: what Prisma's promises take and query hooks are given. */
export interface InteractiveTransaction {
  readonly kind: 'itx';
  readonly id: string;
}

/** The part of a request that query hooks see as `__internalParams`. */
export interface RequestParams {
  args?: unknown;
  action: string;
  dataPath: readonly string[];
  transaction?: { readonly kind: string; readonly id: unknown } | undefined;
  /** Runs when the request is sent, after all extensions; what it returns is sent. */
  argsMapper?: ((args: unknown) => unknown) | undefined;
  /** Runs on what the database gave; what it returns is the result that extensions and the caller see. */
  unpacker?: ((result: unknown) => unknown) | undefined;
}

/** Prisma's lazy promise, with the method by which a transaction claims it. */
export interface LazyPromise<T = unknown> extends PromiseLike<T> {
  requestTransaction(transaction: object): PromiseLike<T>;
  readonly spec?: { readonly action?: string; readonly model?: string } | undefined;
}

export type Query = (args: unknown, params?: RequestParams) => LazyPromise;

interface Engine {
  transaction(action: 'start', headers: object, options: object): Promise<{ readonly id: string }>;
  transaction(action: 'commit' | 'rollback', headers: object, info: object): Promise<unknown>;
}

/** What gathers requests that may be sent together, in the next turn of the event loop. */
export interface Loader {
  request: (request: LoaderRequest) => unknown;
  readonly options: {
    singleLoader: (request: LoaderRequest) => unknown;
    batchLoader: (requests: readonly LoaderRequest[]) => unknown;
  };
}

export interface LoaderRequest {
  readonly transaction?: { readonly kind: string } | undefined;
}

type Delegate = Record<'findMany' | 'findUnique', (args: unknown) => LazyPromise>;

/** The client without any extension. */
export type BaseClient = Readonly<Record<string, Delegate>> & {
  $queryRawUnsafe(sql: string, ...parameters: unknown[]): LazyPromise;
  $executeRawUnsafe(sql: string, ...parameters: unknown[]): LazyPromise;
};

export interface RuntimeField {
  readonly name: string;
  readonly kind: string;
  readonly type: string;
}

export type RuntimeModels = Readonly<Record<string, { readonly fields: readonly RuntimeField[] }>>;

export interface Internals {
  readonly engine: Engine;
  readonly base: BaseClient;
  readonly loader: Loader;
  readonly models: RuntimeModels;
  /** Whether no statement gets behind the end of its transaction. */
  readonly fenced: boolean;
  /** The text of schema.prisma. */
  readonly schema: string;
  /** The Postgres schema of models that name none. */
  readonly defaultSchema: string;
  /** Fields that the client hides unless asked for, by model in lower camel case. */
  readonly globalOmit: Readonly<Record<string, Readonly<Record<string, boolean>> | undefined>>;
}

/** Milliseconds that a timer can hold at most. */
const longestMs = 2_147_483_647;

/**
 * A transaction for one operation has no limits and no isolation level of its own: callers must not be able to tell
 * it from the statement that Prisma would have run alone.
 */
export const implicitOptions = { maxWait: longestMs, timeout: longestMs, isolationLevel: undefined };

const scopeContext = Symbol.for('prisma.client.transaction.scope_context');

/** The id of the interactive transaction that a client belongs to; undefined for a client outside any. */
export function transactionIdOf(client: object): string | undefined {
  const context = (client as Record<symbol, { kind?: unknown; txId?: unknown } | undefined>)[scopeContext];
  return context?.kind === 'nested' && typeof context.txId === 'string' ? context.txId : undefined;
}

export function isLazyPromise(value: unknown): value is LazyPromise {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] === 'PrismaPromise' &&
    typeof (value as { requestTransaction?: unknown }).requestTransaction === 'function'
  );
}

/**
 * Parameters that execute as another action, while every extension on the way still sees the one that was called: an
 * extension for "updateMany" must not be passed by because capture needs the rows back.
 *
 * Prisma reads `dataPath` and then `action` when it sends a request, and calls `argsMapper` next; before that, for each
 * hook, it reads `action` alone. `probe` checks it.
 */
export function executeAs(params: RequestParams, action: string): RequestParams {
  const { action: called, dataPath, argsMapper } = params;
  let sending = false;
  return Object.defineProperties(
    { ...params },
    {
      dataPath: {
        get: () => {
          sending = true;
          return dataPath;
        },
      },
      action: { get: () => (sending ? action : called) },
      argsMapper: {
        value: (args: unknown) => {
          sending = false;
          return argsMapper ? argsMapper(args) : args;
        },
      },
    },
  );
}

/** @throws CaptureError when the client is none of Prisma's, or one of a version with other insides. */
export function readInternals(client: PrismaClient): Internals {
  const inside = client as unknown as Record<string, unknown>;
  const original = object(inside['_originalClient'], '_originalClient');
  const config = object(inside['_engineConfig'], '_engineConfig');
  const engine = object(inside['_engine'], '_engine');
  if (typeof engine['transaction'] !== 'function') throw unfit('_engine.transaction');
  if (typeof config['inlineSchema'] !== 'string') throw unfit('_engineConfig.inlineSchema');
  const loader = object(object(inside['_requestHandler'], '_requestHandler')['dataloader'], 'dataloader');
  const options = object(loader['options'], 'dataloader.options');
  for (const load of [loader['request'], options['singleLoader'], options['batchLoader']])
    if (typeof load !== 'function') throw unfit('dataloader');
  const { models } = object(inside['_runtimeDataModel'], '_runtimeDataModel');
  const base = object(original['_appliedParent'], '_appliedParent') as unknown as BaseClient;
  if (!isLazyPromise(base.$queryRawUnsafe('SELECT 1'))) throw unfit('PrismaPromise.requestTransaction');
  const adapter = config['adapter'] as { options?: { schema?: string } } | undefined;
  return {
    engine: engine as unknown as Engine,
    base,
    loader: loader as unknown as Loader,
    models: object(models, '_runtimeDataModel.models') as RuntimeModels,
    fenced: config['adapter'] instanceof FencedPrismaPg,
    schema: config['inlineSchema'],
    defaultSchema: adapter?.options?.schema ?? 'public',
    globalOmit: (inside['_globalOmit'] ?? {}) as Internals['globalOmit'],
  };
}

/**
 * Sends an operation through two query hooks and stops it before it leaves the client. The first claims it for a
 * transaction and lets it execute as another action: the second must see the transaction and the action that was
 * called, the sender the other action, and the mapper must be the last to be called.
 * @throws CaptureError when one of them does not hold.
 */
export async function probe({ base, models }: Internals): Promise<void> {
  const [model] = Object.keys(models);
  if (model === undefined) return;
  const sent = new Error('The probe ends here.');
  const seen: unknown[] = [];
  const claim = ({ args, query, __internalParams }: HookCall) => {
    const argsMapper = (): never => {
      seen.push('sent');
      throw sent;
    };
    const params = executeAs({ ...__internalParams, argsMapper }, 'findMany');
    const watched = new Proxy(params, {
      get(target, name: keyof RequestParams) {
        const value = target[name];
        if (name === 'action') seen.push(value);
        return value;
      },
    });
    return query(args, watched).requestTransaction({ kind: 'itx', id: 'probe' });
  };
  const observe = ({ args, operation, query, __internalParams }: HookCall) => {
    seen.push(__internalParams.transaction?.kind, __internalParams.transaction?.id, operation);
    return query(args);
  };
  const hook = (findFirst: (call: HookCall) => PromiseLike<unknown>) => ({
    query: { $allModels: { findFirst } },
  });
  type Extendable = { $extends(extension: unknown): Extendable } & Record<
    string,
    { findFirst(): LazyPromise }
  >;
  const probed = (base as unknown as Extendable).$extends(hook(claim)).$extends(hook(observe));
  let outcome: unknown;
  try {
    await probed[model]?.findFirst();
  } catch (error) {
    outcome = error;
  }
  const expected = 'findFirst,itx,probe,findFirst,findMany,sent';
  if (outcome !== sent || seen.join() !== expected) throw unfit('query hooks');
}

/** What a query hook is called with. */
export interface HookCall {
  readonly model?: string | undefined;
  readonly operation: string;
  readonly args: unknown;
  readonly query: Query;
  readonly __internalParams: RequestParams;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw unfit(what);
  return value as Record<string, unknown>;
}

function unfit(what: string): CaptureError {
  return new CaptureError(
    `Capture does not fit the inside of Prisma ${Prisma.prismaVersion.client}: "${what}" is not as expected. ` +
      'Install the version that package.json pins, or adapt src/outbox/capture/internals.ts to this one.',
  );
}
