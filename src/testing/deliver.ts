import type { ConsumerOptions } from '../consumers/consumer';
import type { Outcome } from '../consumers/outcome';
import { processMessage } from '../consumers/processMessage';
import type { Transaction } from '../consumers/transaction';
import type { Catalogue } from '../events/catalogue';
import type { EventEnvelope } from '../events/envelope';
import type { ReceivedMessage } from '../kafka/messages/readMessage';
import { createLogger } from '../shared/logger';
import { topicOf } from '../kafka/topics/topicNames';
import { draftEnvelope, type EventDraft } from './draftEnvelope';

/** What is needed of a consumer to try it: what `createConsumer` takes, without Kafka. */
export type DeliveredTo<C extends Catalogue, Tx extends Transaction> = Pick<
  ConsumerOptions<C, Tx>,
  | 'catalogue'
  | 'name'
  | 'handlers'
  | 'effects'
  | 'postponement'
  | 'classify'
  | 'database'
  | 'handlerTimeoutMs'
> & { readonly logger?: ConsumerOptions<C, Tx>['logger'] };

/** What became of an event that was delivered without an error. */
export type Delivered = Exclude<Outcome['kind'], 'failed'>;

const topicPrefix = 'test';

/**
 * Delivers an event to a consumer as the runner does, without Kafka: the handler's writes and the row of the inbox are
 * one transaction, so a second delivery of the same event is a `duplicate` and has no effect.
 * @param event one that `captureEvents` returned, or a draft.
 * @throws what the handler throws, after its transaction was rolled back. Error when the event does not fit the
 *   catalogue, or the consumer does not handle its type.
 */
export async function deliver<C extends Catalogue, Tx extends Transaction>(
  consumer: DeliveredTo<C, Tx>,
  event: EventEnvelope | EventDraft,
): Promise<Delivered> {
  const envelope = 'event_id' in event ? event : draftEnvelope(consumer.catalogue, event);
  const outcome = await processMessage<Tx>(messageOf(envelope), {
    consumer: consumer.name,
    catalogue: consumer.catalogue,
    handlers: consumer.handlers,
    effects: consumer.effects,
    laterEvents: consumer.postponement?.laterEvents,
    classify: consumer.classify,
    database: consumer.database,
    logger: consumer.logger ?? createLogger({ name: consumer.name, level: 'silent' }),
    handlerTimeoutMs: consumer.handlerTimeoutMs ?? 60_000,
    topicPrefix,
    attempt: 1,
  });
  if (outcome.kind !== 'failed') return outcome.kind;
  throw outcome.error ?? new Error(refusal(consumer.name, envelope, outcome.failure.reason));
}

function refusal(name: string, { event_type }: EventEnvelope, reason: string): string {
  return `The consumer "${name}" cannot process the event "${event_type}": ${reason}.`;
}

function messageOf(event: EventEnvelope): ReceivedMessage {
  return {
    topic: topicOf(topicPrefix, event.event_type),
    partition: 0,
    offset: '0',
    timestamp: String(Date.now()),
    key: Buffer.from(event.metadata.aggregate_id),
    value: Buffer.from(JSON.stringify(event)),
    headers: {},
  };
}
