import type { EventEnvelope } from '../events/envelope';
import type { ReceivedMessage } from '../kafka/messages/readMessage';
import { type EventContext, withContext } from '../outbox/context';
import type { Logger } from '../shared/logger';
import { type HandlerContext, type AnyHandlers, handlerOf } from './handlers';
import type { Transaction } from './transaction';

/** A message that holds a valid event. */
export interface Delivery {
  readonly event: EventEnvelope;
  readonly message: ReceivedMessage;
}

export interface HandlerDependencies<Tx extends Transaction> {
  readonly handlers: AnyHandlers<Tx>;
  readonly logger: Logger;
  /** 1 at the first attempt. */
  readonly attempt: number;
  /** When the event was tried for the first time, if it has been postponed since. */
  readonly triedSince?: Date | undefined;
}

/** Runs the handler of an event in a transaction, and in the context of the request that led to the event. */
export async function runHandler<Tx extends Transaction>(
  tx: Tx,
  delivery: Delivery,
  dependencies: HandlerDependencies<Tx>,
): Promise<void> {
  const { event } = delivery;
  const handler = handlerOf(dependencies.handlers, event);
  if (!handler) throw new Error(`there is no handler for ${event.event_type}`);
  await withContext(contextOf(event), () => handler(event, handlerContext(tx, delivery, dependencies)));
}

/** The context for events that a handler appends: they are caused by this one and belong to the same request. */
export function contextOf({ event_id, metadata }: EventEnvelope): EventContext {
  return {
    correlationId: metadata.correlation_id ?? undefined,
    causationId: event_id,
    actor: metadata.actor ?? undefined,
    traceparent: metadata.traceparent ?? undefined,
  };
}

/** What a handler is given beside the event. */
export function handlerContext<Tx extends Transaction>(
  tx: Tx,
  { event, message: { topic, partition, offset, timestamp } }: Delivery,
  { logger, attempt, triedSince }: Omit<HandlerDependencies<Tx>, 'handlers'>,
): HandlerContext<Tx> {
  const { correlation_id } = event.metadata;
  return {
    tx,
    attempt,
    triedSince,
    logger: logger.child({ event_id: event.event_id, event_type: event.event_type, correlation_id }),
    message: { topic, partition, offset, timestampMs: Number(timestamp) },
  };
}
