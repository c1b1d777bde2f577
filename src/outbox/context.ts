import { AsyncLocalStorage } from 'node:async_hooks';

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

const storage = new AsyncLocalStorage<EventContext>();

/** Runs `work` so that every event appended in its course carries this context. */
export function runWithContext<T>(context: EventContext, work: () => T): T {
  return storage.run(context, work);
}

/** The context of the current request, empty outside one. */
export function currentContext(): EventContext {
  return storage.getStore() ?? {};
}
