import type { AsyncLocalStorage } from 'node:async_hooks';
import { types } from 'node:util';

/*
 * Prisma's promises are lazy: `prisma.patient.create(…)` sends nothing until its `then` is called. When `work` returns
 * one, that happens after `work`, and so outside the scope in which it was made. So such a promise is returned as one
 * that remembers the scope: it stays lazy, and can still be an element of `$transaction([…])`.
 */

/** Runs `work` in a scope, and so whatever a lazy promise does that `work` returns. */
export function runInScope<S, T>(storage: AsyncLocalStorage<S>, store: S, work: () => T): T {
  const inScope: Scope = (call) => storage.run(store, call);
  return bound(inScope(work), inScope);
}

type Scope = <R>(call: () => R) => R;

/** Any thenable but a real promise, which has begun already. */
function isLazy(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return false;
  return !types.isPromise(value) && typeof (value as { then?: unknown }).then === 'function';
}

function bound<T>(value: T, inScope: Scope): T {
  if (!isLazy(value)) return value;
  // What the caller does with the outcome is outside the scope.
  const begin = (): Promise<unknown> =>
    inScope(() => new Promise((resolve, reject) => void value.then(resolve, reject)));
  const outcome: Pick<Promise<unknown>, 'then' | 'catch' | 'finally'> = {
    // oxlint-disable-next-line unicorn/no-thenable -- it stands for a promise
    then: (onFulfilled, onRejected) => begin().then(onFulfilled, onRejected),
    catch: (onRejected) => begin().catch(onRejected),
    finally: (onFinally) => begin().finally(onFinally),
  };
  return new Proxy(value, {
    get(target, name) {
      if (Object.hasOwn(outcome, name)) return outcome[name as keyof typeof outcome];
      const property: unknown = Reflect.get(target, name);
      if (typeof property !== 'function') return property;
      // What a method returns may be lazy too: prisma.appointment.update(…).patient().
      return (...args: unknown[]): unknown =>
        bound(
          inScope(() => Reflect.apply(property, target, args) as unknown),
          inScope,
        );
    },
  });
}
