import type { Catalogue, EventData, EventType } from '../events/catalogue';
import type { EventEnvelope, EventOf } from '../events/envelope';
import type { Logger } from '../shared/logger';
import type { Transaction } from './transaction';

/**
 * What a handler is given beside the event. `Tx` is the transaction of the client that the consumer was given: of a
 * captured one, whose writes leave events in the outbox, for handlers that write models or append events.
 */
export interface HandlerContext<Tx = Transaction> {
  /**
   * The transaction in which the event is noted as processed. Effects written with it happen once, however often the
   * event is delivered; any other effect must bear repetition. When a statement of it fails, let the error through:
   * Postgres has given up the transaction, and a handler that goes on is treated as failed.
   */
  readonly tx: Tx;
  /** Names the consumer and the event in every line. */
  readonly logger: Logger;
  /** 1 at the first attempt. */
  readonly attempt: number;
  /** When the event was tried for the first time, if it has been postponed since. */
  readonly triedSince?: Date | undefined;
  readonly message: {
    readonly topic: string;
    readonly partition: number;
    readonly offset: string;
    /** When Kafka took it in, in milliseconds since 1970. */
    readonly timestampMs: number;
  };
}

/** Does what an event means for this consumer. */
export type Handler<Event = EventEnvelope, Tx = Transaction> = (
  event: Event,
  context: HandlerContext<Tx>,
) => Promise<void>;

/** By event type of a catalogue; the topics that a consumer subscribes to follow from the names. */
export type Handlers<C extends Catalogue, Tx = Transaction> = {
  readonly [T in EventType<C>]?: Handler<EventEnvelope<T, EventData<C, T>>, Tx>;
};

/** Handlers of whatever catalogue, as the runner keeps them: which event fits which is known to the catalogue only. */
export type AnyHandlers<Tx = Transaction> = Readonly<Record<string, Handler<never, Tx> | undefined>>;

/** One handler for every event of the catalogue. */
export function handleEveryEvent<C extends Catalogue, Tx = Transaction>(
  { eventTypes }: C,
  handler: Handler<EventOf<C>, Tx>,
): Handlers<C, Tx> {
  return Object.fromEntries(eventTypes.map((eventType) => [eventType, handler])) as Handlers<C, Tx>;
}

/** The handler of an event, which TypeScript cannot see to fit its type. */
export function handlerOf<Tx>(
  handlers: AnyHandlers<Tx>,
  { event_type }: EventEnvelope,
): Handler<EventEnvelope, Tx> | undefined {
  return handlers[event_type] as Handler<EventEnvelope, Tx> | undefined;
}
