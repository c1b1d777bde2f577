/*
 * Handlers whose effect is outside of the database: an e-mail, a call to another service.
 *
 * No transaction is open while an effect runs. A lease in Postgres, taken before and deleted in the transaction that
 * notes the event as processed, keeps other processes from running it at the same time. A process that dies in between
 * leaves a lease that expires, and the effect is repeated: an effect must bear that, or give the other side something to
 * know the copy by.
 */
import type { Catalogue, EventData, EventType } from '../events/catalogue';
import type { EventEnvelope } from '../events/envelope';
import type { AnyHandlers, HandlerContext } from './handlers';
import type { Transaction } from './transaction';

/** What an effect is given beside the event. */
export interface EffectContext extends Omit<HandlerContext, 'tx'> {
  /** Aborted when the time for this attempt is over: the lease expires soon after. */
  readonly signal: AbortSignal;
}

export interface Effect<Event = EventEnvelope, Tx = Transaction> {
  /**
   * Asked in a transaction just before the effect: is it still wanted? When it is not, the event is done with, together
   * with what this has written. Commands whose `expires_at` has passed are not wanted in any case.
   */
  readonly isWanted?: (event: Event, context: HandlerContext<Tx>) => Promise<boolean>;
  /** Throws what a handler throws. */
  readonly run: (event: Event, context: EffectContext) => Promise<void>;
}

/** By event type of a catalogue, as handlers are. */
export type Effects<C extends Catalogue, Tx = Transaction> = {
  readonly [T in EventType<C>]?: Effect<EventEnvelope<T, EventData<C, T>>, Tx>;
};

/** Effects of whatever catalogue, as the runner keeps them. */
export type AnyEffects<Tx = Transaction> = Readonly<Record<string, Effect<never, Tx> | undefined>>;

/** The effect of an event, if there is one; TypeScript cannot see that it fits its type. */
export function effectOf<Tx>(
  effects: AnyEffects<Tx>,
  { event_type }: EventEnvelope,
): Effect<EventEnvelope, Tx> | undefined {
  return effects[event_type] as Effect<EventEnvelope, Tx> | undefined;
}

/** The event types for which there is a handler or an effect, in the catalogue's order. */
export function subscribedTypes<Tx>(
  { eventTypes }: Catalogue,
  handlers: AnyHandlers<Tx>,
  effects: AnyEffects<Tx>,
): string[] {
  return eventTypes.filter((type) => handlers[type] !== undefined || effects[type] !== undefined);
}
