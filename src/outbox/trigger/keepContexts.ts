import { AsyncResource } from 'node:async_hooks';
import type { Loader, LoaderRequest } from '../capture/internals';

/**
 * Makes Prisma send each batch (`$transaction([…])`) in the context of whoever began it. Left to itself it sends all
 * that were begun in one turn of the event loop in the context of the first, and so in the name of somebody else's
 * request.
 */
export function keepContexts(loader: Loader): void {
  const { options } = loader;
  const { singleLoader: sendOne, batchLoader: sendMany } = options;
  const request = loader.request.bind(loader);
  const begun = new WeakMap<LoaderRequest, AsyncResource>();

  loader.request = (asked) => {
    if (asked.transaction?.kind === 'batch') begun.set(asked, new AsyncResource('PrismaBatch'));
    return request(asked);
  };
  const within = (asked: LoaderRequest | undefined, send: () => unknown): unknown => {
    const context = asked && begun.get(asked);
    return context ? context.runInAsyncScope(send) : send();
  };
  options.singleLoader = (asked) => within(asked, () => sendOne(asked));
  // Prisma groups them by transaction.
  options.batchLoader = (asked) => within(asked[0], () => sendMany(asked));
}
