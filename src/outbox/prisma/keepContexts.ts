import { AsyncResource } from 'node:async_hooks';
import { statementMode } from './statementComments';
import type { Engine, Loader, LoaderRequest } from './internals';
import { currentContext, type EventContext } from '../context';

/*
 * Prisma collects the requests of transactions and sends all that were begun in one turn of the event loop in the async
 * context of the first, and so in the name of another caller's request, or with the mark of another statement. Here each
 * is sent in its own.
 */

interface Origin {
  readonly resource: AsyncResource;
  readonly context: EventContext;
  readonly mode: unknown;
}

/** Makes Prisma send each request in the context in which it was begun. */
export function keepContexts(loader: Loader, engine: Engine): void {
  const { options } = loader;
  const { singleLoader: sendOne, batchLoader: sendMany } = options;
  const request = loader.request.bind(loader);
  const origins = new WeakMap<LoaderRequest, Origin>();

  const within = <T>(asked: LoaderRequest, send: () => T): T => {
    const origin = origins.get(asked);
    return origin ? origin.resource.runInAsyncScope(send) : send();
  };

  loader.request = (asked) => {
    if (asked.transaction !== undefined) origins.set(asked, currentOrigin());
    return request(asked);
  };
  options.singleLoader = (asked) => within(asked, () => sendOne(asked));
  // Prisma groups them by transaction.
  options.batchLoader = async (group) => {
    const [first] = group;
    if (!first || isOfOne(group.map((asked) => origins.get(asked)))) {
      return first ? within(first, () => sendMany(group)) : sendMany(group);
    }
    if (first.transaction?.kind !== 'batch') return sendEach(group, options.singleLoader);
    return sendAsOne(engine, group, (asked, transaction) =>
      within(asked, () => sendOne({ ...asked, transaction })),
    );
  };
}

function currentOrigin(): Origin {
  return {
    resource: new AsyncResource('PrismaRequest'),
    context: currentContext(),
    mode: statementMode.getStore(),
  };
}

function isOfOne([first, ...others]: readonly (Origin | undefined)[]): boolean {
  return others.every((other) => other?.context === first?.context && other?.mode === first?.mode);
}

/** Requests of one interactive transaction, one after the other. */
async function sendEach(
  group: readonly LoaderRequest[],
  send: (asked: LoaderRequest) => Promise<unknown>,
): Promise<unknown[]> {
  const results: unknown[] = [];
  // Prisma takes an error among the results for the outcome of that request alone.
  for (const asked of group) results.push(await send(asked).catch((error: unknown) => error));
  return results;
}

type SendWithin = (asked: LoaderRequest, transaction: { kind: 'itx'; id: string }) => Promise<unknown>;

/** A batch whose elements come from several contexts: as Prisma does it, but for the contexts. */
async function sendAsOne(
  engine: Engine,
  group: readonly LoaderRequest[],
  send: SendWithin,
): Promise<unknown[]> {
  const given = group[0]?.transaction;
  // In Prisma 7.5 a batch does not say the limits of its client.
  const limits = engine.config?.transactionOptions;
  const info = await engine.transaction(
    'start',
    {},
    {
      isolationLevel: given?.isolationLevel ?? limits?.isolationLevel,
      maxWait: given?.maxWait ?? limits?.maxWait,
      timeout: given?.timeout ?? limits?.timeout,
    },
  );
  const results: unknown[] = [];
  try {
    for (const asked of group) results.push(await send(asked, { kind: 'itx', id: info.id }));
  } catch (error) {
    // Where the rollback fails the connection is lost, and the transaction with it; what matters is why.
    await engine.transaction('rollback', {}, info).catch(() => undefined);
    // By its number Prisma knows which element to blame.
    throw Object.assign(error as Error, { batchRequestIdx: results.length });
  }
  await engine.transaction('commit', {}, info);
  return results;
}
