import type { AnyEvent } from '../events/envelope';
import type { Prisma } from '../generated/prisma/client';
import type { ReceivedMessage } from '../kafka/readMessage';
import { type EventContext, runWithContext } from '../outbox/context';
import type { Logger } from '../shared/logger';
import { type HandlerContext, type Handlers, handlerOf } from './handlers';

/** A message that holds a valid event. */
export interface Delivery {
  readonly event: AnyEvent;
  readonly message: ReceivedMessage;
}

export interface HandlerDependencies<Tx extends Prisma.TransactionClient> {
  readonly handlers: Handlers<Tx>;
  readonly logger: Logger;
  /** 1 at the first attempt. */
  readonly attempt: number;
}

/** Runs the handler of an event in a transaction, and in the context of the request that led to the event. */
export async function runHandler<Tx extends Prisma.TransactionClient>(
  tx: Tx,
  { event, message }: Delivery,
  dependencies: HandlerDependencies<Tx>,
): Promise<void> {
  const handler = handlerOf(dependencies.handlers, event);
  if (!handler) throw new Error(`there is no handler for ${event.event_type}`);
  await runWithContext(contextOf(event), () =>
    handler(event, handlerContext(tx, event, message, dependencies)),
  );
}

/** Events that the handler appends are caused by this one and belong to the same request. */
function contextOf({ event_id, metadata }: AnyEvent): EventContext {
  return {
    correlationId: metadata.correlation_id ?? undefined,
    causationId: event_id,
    actor: metadata.actor ?? undefined,
    traceparent: metadata.traceparent ?? undefined,
  };
}

function handlerContext<Tx extends Prisma.TransactionClient>(
  tx: Tx,
  event: AnyEvent,
  { topic, partition, offset, timestamp }: ReceivedMessage,
  { logger, attempt }: HandlerDependencies<Tx>,
): HandlerContext<Tx> {
  const { correlation_id } = event.metadata;
  return {
    tx,
    attempt,
    logger: logger.child({ event_id: event.event_id, event_type: event.event_type, correlation_id }),
    message: { topic, partition, offset, timestampMs: Number(timestamp) },
  };
}
