import { AsyncLocalStorage } from 'node:async_hooks';
import { processState } from '../shared/processState';
import { runInScope } from './prisma/lazyScope';

/** What is known of the request (or the message) in whose course a write happens; it reaches the events' metadata. */
export interface EventContext {
  readonly correlationId?: string | undefined;
  /** The event that caused this one, when a consumer writes. */
  readonly causationId?: string | undefined;
  /** Who asked for it: an account's id, never a person's name. */
  readonly actor?: string | undefined;
  /** W3C trace context. */
  readonly traceparent?: string | undefined;
}

const storage = processState('eventContext', () => new AsyncLocalStorage<EventContext>());

/**
 * Runs `work` so that every event appended in its course carries this context. Its values are brought into the form
 * that an event can hold (see `contextValue`) here, once: so both engines store the same. A lazy promise of Prisma's that
 * `work` returns is sent with this context as well, whenever that is.
 */
export function withContext<T>(context: EventContext, work: () => T): T {
  const held: EventContext = {
    correlationId: contextValue(context.correlationId),
    causationId: contextValue(context.causationId),
    actor: contextValue(context.actor),
    traceparent: contextValue(context.traceparent),
  };
  return runInScope(storage, held, work);
}

const none: EventContext = {};

/** The context of the current request, empty outside one: the same object for every call in one scope. */
export function currentContext(): EventContext {
  return storage.getStore() ?? none;
}

/** Longest value, percent-encoded. Five of them in a statement's comment stay well below what the triggers look at. */
const longestValue = 300;

/**
 * A value as an event's metadata can hold it, whichever engine writes it: an empty one is none, half a surrogate pair
 * (which encodeURIComponent refuses) is replaced, a NUL (which Postgres does not know) is dropped, and what is too long
 * for a statement's comment is cut between two characters.
 */
export function contextValue(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (/^[\w.:-]{1,100}$/.test(value)) return value;
  const clean = value.replaceAll(/\p{Surrogate}/gu, '\uFFFD').replaceAll('\0', '');
  let cut = '';
  let length = 0;
  for (const character of clean) {
    length += encodeURIComponent(character).length;
    if (length > longestValue) break;
    cut += character;
  }
  return cut === '' ? undefined : cut;
}
