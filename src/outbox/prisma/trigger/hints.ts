import { defaultLogger } from '../../../shared/logger';
import type { CaptureOptions, PrismaClientLike } from '../captured';
import { transactionIdOf } from '../internals';

/*
 * Calls `onCommitted` after what may have committed events: a write of a model outside a transaction, raw SQL outside
 * one, and every transaction. The engine does not know which of them appended something, so the call is a hint; the
 * relay's polling is the truth. A client without `onCommitted` is left as it is: a hook costs every operation a little.
 */

type Hook = (call: {
  readonly operation: string;
  readonly args: unknown;
  readonly query: (args: unknown) => PromiseLike<unknown>;
  readonly __internalParams?: { readonly transaction?: unknown };
}) => PromiseLike<unknown>;

/** Called on the client, or on that of a transaction, in which case it sets a savepoint. */
type Transact = (this: unknown, work: unknown, options?: unknown) => Promise<unknown>;

const writes = /^(create|update|upsert|delete|\$executeRaw|\$queryRaw)/;

/** The client with its hints, if the caller wants them. */
export function hints(
  client: PrismaClientLike,
  { onCommitted, logger = defaultLogger() }: CaptureOptions,
): unknown {
  if (!onCommitted) return client;
  const hint = (): void => {
    try {
      onCommitted();
    } catch (error) {
      logger.warn(
        { err: error },
        'the hint after a commit failed; the relay will find the events by polling',
      );
    }
  };
  const hook: Hook = ({ operation, args, query, __internalParams }) => {
    if (!writes.test(operation) || __internalParams?.transaction !== undefined) return query(args);
    return query(args).then((result) => {
      hint();
      return result;
    });
  };
  const { $transaction: transact } = client as unknown as { readonly $transaction: Transact };
  const extension = {
    name: 'signalbox-trigger-hints',
    query: { $allOperations: hook },
    client: {
      async $transaction(this: object, work: unknown, options?: unknown) {
        const result = await transact.call(this, work, options);
        if (transactionIdOf(this) === undefined) hint();
        return result;
      },
    },
  };
  return client.$extends(extension as never);
}
