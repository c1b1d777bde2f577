import { type AnyEvent, type EventEnvelope, type EventType, eventTypes } from '../healthcore/catalogue';
import type { Prisma } from '../generated/prisma/client';
import type { Logger } from '../shared/logger';

/**
 * What a handler is given beside the event. `Tx` is the transaction of the client that the consumer was given: of a
 * captured one, whose writes leave events in the outbox, for handlers that write models or append events.
 */
export interface HandlerContext<Tx = Prisma.TransactionClient> {
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

export type Handler<T extends EventType = EventType, Tx = Prisma.TransactionClient> = (
  event: EventEnvelope<T>,
  context: HandlerContext<Tx>,
) => Promise<void>;

/** By event type; the topics that a consumer subscribes to follow from the names. */
export type Handlers<Tx = Prisma.TransactionClient> = { readonly [T in EventType]?: Handler<T, Tx> };

/** One handler for every event of the catalogue. */
export function handleEveryEvent<Tx = Prisma.TransactionClient>(
  handler: (event: AnyEvent, context: HandlerContext<Tx>) => Promise<void>,
): Handlers<Tx> {
  return Object.fromEntries(eventTypes.map((eventType) => [eventType, handler]));
}

/** The event types that handlers are given for, in the catalogue's order. */
export function handledTypes<Tx>(handlers: Handlers<Tx>): EventType[] {
  return eventTypes.filter((eventType) => handlers[eventType] !== undefined);
}

/** The handler of an event, which TypeScript cannot see to fit its type. */
export function handlerOf<Tx>(
  handlers: Handlers<Tx>,
  event: AnyEvent,
): ((event: AnyEvent, context: HandlerContext<Tx>) => Promise<void>) | undefined {
  return handlers[event.event_type] as
    ((event: AnyEvent, context: HandlerContext<Tx>) => Promise<void>) | undefined;
}
