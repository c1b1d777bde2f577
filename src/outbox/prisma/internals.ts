import { fencedKey } from './adapter/fencedPrismaPg';
import { CaptureError } from '../captureError';

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

/** An operation behind all extensions, as Prisma is about to send it. */
export interface Request {
  readonly args?: unknown;
  readonly action: string;
  /** Undefined for raw SQL. */
  readonly model?: string | undefined;
  /** `$executeRaw`, … */
  readonly clientMethod: string;
  readonly dataPath: readonly string[];
  readonly transaction?: { readonly kind: string; readonly id: unknown } | undefined;
  /** Runs on what the database returned; what it returns is the result that extensions and the caller see. */
  readonly unpacker?: ((result: unknown) => unknown) | undefined;
}

/** Prisma's own sending of a request, called on the client to which the operation belongs. */
export type ExecuteRequest = (this: object, request: Request) => Promise<unknown>;

/** What all clients of one `new PrismaClient()` inherit from: the client itself, extended ones, those of transactions. */
export interface OriginalClient {
  _executeRequest: ExecuteRequest;
  $transaction: Transact;
}

/** `$transaction` of a client, for both forms. */
export type Transact = (this: unknown, input: unknown, options?: unknown) => Promise<unknown>;

/** Prisma's lazy promise, with the method by which a transaction claims it. */
export interface LazyPromise<T = unknown> extends PromiseLike<T> {
  requestTransaction(transaction: object): PromiseLike<T>;
  readonly spec?: { readonly action?: string; readonly model?: string } | undefined;
}

export interface Engine {
  transaction(action: 'start', headers: object, options: object): Promise<{ readonly id: string }>;
  transaction(action: 'commit' | 'rollback', headers: object, info: object): Promise<unknown>;
  /** Holds the limits of transactions that say none, as the client was created with them. */
  readonly config?: { readonly transactionOptions?: TransactionLimits };
}

interface TransactionLimits {
  readonly isolationLevel?: unknown;
  /** In milliseconds. */
  readonly maxWait?: number;
  /** In milliseconds. */
  readonly timeout?: number;
}

/** What gathers requests that may be sent together, in the next turn of the event loop. */
export interface Loader {
  request: (request: LoaderRequest) => unknown;
  readonly options: {
    singleLoader: (request: LoaderRequest) => Promise<unknown>;
    batchLoader: (requests: readonly LoaderRequest[]) => Promise<unknown>;
  };
}

export interface LoaderRequest {
  readonly transaction?: (TransactionLimits & { readonly kind: string }) | undefined;
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
  /** Prisma's, for errors. */
  readonly clientVersion: string;
  readonly engine: Engine;
  readonly original: OriginalClient;
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
 * What the extensions of a client add to it under a key: so an operation is known to have been called on a client with
 * capture, or on one made from it.
 */
export function extensionOf(client: object, key: symbol): unknown {
  const { _extensions: extensions } = client as {
    readonly _extensions?: { getAllClientExtensions(): Readonly<Record<symbol, unknown>> | undefined };
  };
  return extensions?.getAllClientExtensions()?.[key];
}

/** @throws CaptureError when the client is not Prisma's, or one of a version with other insides. */
export function readInternals(client: object): Internals {
  const inside = client as Record<string, unknown>;
  const clientVersion = String(inside['_clientVersion']);
  const object = (value: unknown, what: string) => objectOf(value, what, clientVersion);
  const unfit = (what: string) => misfit(what, clientVersion);
  const original = object(inside['_originalClient'], '_originalClient');
  const config = object(inside['_engineConfig'], '_engineConfig');
  const engine = object(inside['_engine'], '_engine');
  for (const method of ['_executeRequest', '$transaction'])
    if (typeof original[method] !== 'function') throw unfit(method);
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
    clientVersion,
    engine: engine as unknown as Engine,
    original: original as unknown as OriginalClient,
    base,
    loader: loader as unknown as Loader,
    models: object(models, '_runtimeDataModel.models') as RuntimeModels,
    fenced: (config['adapter'] as { [fencedKey]?: true } | undefined)?.[fencedKey] === true,
    schema: config['inlineSchema'],
    defaultSchema: adapter?.options?.schema ?? 'public',
    globalOmit: (inside['_globalOmit'] ?? {}) as Internals['globalOmit'],
  };
}

/** Claims a request for a transaction and handles it in place of all that is done with requests elsewhere. */
export const handler = Symbol.for('signalbox.handler');

export interface HandledTransaction extends InteractiveTransaction {
  readonly [handler]: (client: object, request: Request) => Promise<unknown>;
}

/**
 * Sends an operation through an extension and stops it before it leaves the client. The request must come by the
 * `_executeRequest` of what all clients inherit from, with the arguments that the extension has made and the transaction
 * that has claimed it, called on a client that shows its extensions.
 * @throws CaptureError when one of them does not hold.
 */
export async function probe({ base, models, clientVersion }: Internals): Promise<void> {
  const [model] = Object.keys(models);
  if (model === undefined) return;
  const sent = new Error('The probe ends here.');
  const key = Symbol('probe');
  const changed = { where: {} };
  const seen: unknown[] = [];
  const transaction: HandledTransaction = {
    kind: 'itx',
    id: 'probe',
    [handler]: (client, { model: named, action, args, transaction: claimed }) => {
      const extended = extensionOf(client, key) !== undefined;
      seen.push(named, action, args === changed, claimed === transaction, extended);
      return Promise.reject(sent);
    },
  };
  type Extendable = { $extends(extension: unknown): Record<string, { findFirst(): LazyPromise }> };
  const probed = (base as unknown as Extendable).$extends({
    client: { [key]: () => undefined },
    query: {
      $allModels: { findFirst: ({ query }: { query: (args: unknown) => unknown }) => query(changed) },
    },
  });
  let outcome: unknown;
  try {
    await probed[model]?.findFirst().requestTransaction(transaction);
  } catch (error) {
    outcome = error;
  }
  if (outcome !== sent || seen.join() !== [model, 'findFirst', true, true, true].join()) {
    throw misfit('_executeRequest', clientVersion);
  }
}

function objectOf(value: unknown, what: string, clientVersion: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw misfit(what, clientVersion);
  return value as Record<string, unknown>;
}

function misfit(what: string, clientVersion: string): CaptureError {
  return new CaptureError(
    `Capture does not fit the inside of Prisma ${clientVersion}: "${what}" is not as expected. ` +
      'Install the version that package.json pins, or adapt src/outbox/prisma/internals.ts to this one.',
  );
}
