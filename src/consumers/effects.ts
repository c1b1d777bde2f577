/*
 * Handlers whose effect is outside of the database: an e-mail, a call to another service.
 *
 * No transaction is open while an effect runs. A lease in Postgres, taken before and deleted in the transaction that
 * notes the event as processed, keeps other processes from running it at the same time. A process that dies in between
 * leaves a lease that expires, and the effect is repeated: an effect must bear that, or give the other side something to
 * know the copy by.
 */
import { type AnyEvent, type EventEnvelope, type EventType, eventTypes } from '../healthcore/catalogue';
import type { Prisma } from '../generated/prisma/client';
import { handledTypes, type HandlerContext, type Handlers } from './handlers';

/** What an effect is given beside the event. */
export interface EffectContext extends Omit<HandlerContext, 'tx'> {
  /** Aborted when the time for this attempt is over: the lease expires soon after. */
  readonly signal: AbortSignal;
}

export interface Effect<T extends EventType = EventType, Tx = Prisma.TransactionClient> {
  /**
   * Asked in a transaction just before the effect: is it still wanted? When it is not, the event is done with, together
   * with what this has written. Commands whose `expires_at` has passed are not wanted in any case.
   */
  readonly isWanted?: (event: EventEnvelope<T>, context: HandlerContext<Tx>) => Promise<boolean>;
  /** Throws what a handler throws. */
  readonly run: (event: EventEnvelope<T>, context: EffectContext) => Promise<void>;
}

/** By event type, as handlers are. */
export type Effects<Tx = Prisma.TransactionClient> = { readonly [T in EventType]?: Effect<T, Tx> };

/** An effect with the types that TypeScript cannot see to fit. */
export interface AnyEffect<Tx = Prisma.TransactionClient> {
  readonly isWanted?: (event: AnyEvent, context: HandlerContext<Tx>) => Promise<boolean>;
  readonly run: (event: AnyEvent, context: EffectContext) => Promise<void>;
}

/** The effect of an event, if there is one. */
export function effectOf<Tx>(effects: Effects<Tx>, event: AnyEvent): AnyEffect<Tx> | undefined {
  return effects[event.event_type] as AnyEffect<Tx> | undefined;
}

/** The event types for which there is a handler or an effect, in the catalogue's order. */
export function subscribedTypes<Tx>(handlers: Handlers<Tx>, effects: Effects<Tx>): EventType[] {
  const handled = handledTypes(handlers);
  return eventTypes.filter((eventType) => handled.includes(eventType) || effects[eventType] !== undefined);
}
