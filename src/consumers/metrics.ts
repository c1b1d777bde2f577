import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { LagFigures } from './lag';

/** The consumers' figures; labels are names of ours only. */
export interface ConsumerMetrics {
  /** outcome: processed, duplicate, postponed, not_wanted, dead_letter, or not_for_us (a replay for another group). */
  readonly events: Counter<'consumer' | 'event_type' | 'outcome'>;
  /** reason: failed (it counts), own (it does not), or later (a postponed event's handler asks for it again). */
  readonly retries: Counter<'consumer' | 'event_type' | 'reason'>;
  readonly seconds: Histogram<'consumer' | 'event_type'>;
  readonly lag: LagFigures;
  readonly waiting: Gauge<'consumer'>;
  /** All of a consumer's, whichever process reports them. */
  readonly postponed: Gauge<'consumer'>;
  readonly oldestPostponed: Gauge<'consumer'>;
  readonly topicUsable: Gauge<'consumer' | 'topic'>;
}

/** Declares them on a registry, which all consumers of a process share. */
export function createConsumerMetrics(registry: Registry): ConsumerMetrics {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'signalbox_consumer_events_total',
      help: 'Messages that a consumer is done with, by outcome: processed, duplicate, postponed, not_wanted, dead_letter, not_for_us',
      labelNames: ['consumer', 'event_type', 'outcome'],
      registers,
    }),
    retries: new Counter({
      name: 'signalbox_consumer_retries_total',
      help: 'Attempts that will be repeated, by reason: failed (the handler), own (database or dead-letter topic away), later (postponed again)',
      labelNames: ['consumer', 'event_type', 'reason'],
      registers,
    }),
    seconds: new Histogram({
      name: 'signalbox_consumer_event_seconds',
      help: 'Time that a message takes: its handler and its transaction, or its share of one',
      labelNames: ['consumer', 'event_type'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
      registers,
    }),
    lag: new LagFigures(registry),
    waiting: new Gauge({
      name: 'signalbox_consumer_waiting_partitions',
      help: 'Partitions whose first message failed and waits for its next attempt',
      labelNames: ['consumer'],
      registers,
    }),
    postponed: new Gauge({
      name: 'signalbox_consumer_postponed',
      help: 'Postponed events, those that wait for an earlier one of their aggregate included',
      labelNames: ['consumer'],
      registers,
    }),
    oldestPostponed: new Gauge({
      name: 'signalbox_consumer_postponed_oldest_seconds',
      help: 'How long the oldest postponed event has been put aside',
      labelNames: ['consumer'],
      registers,
    }),
    topicUsable: new Gauge({
      name: 'signalbox_consumer_topic_usable',
      help: '0 while Kafka does not have a topic of the consumer, or does not let it read it',
      labelNames: ['consumer', 'topic'],
      registers,
    }),
  };
}

const outcomes = ['processed', 'duplicate', 'postponed', 'not_wanted', 'dead_letter', 'not_for_us'];
const retryReasons = ['failed', 'own', 'later'];

/**
 * Gives every figure of a consumer its first value, 0: a counter that is born with its first event has no increase that
 * an alert could see.
 */
export function beginAtZero(
  { events, retries, waiting }: Pick<ConsumerMetrics, 'events' | 'retries' | 'waiting'>,
  consumer: string,
  eventTypes: readonly string[],
): void {
  waiting.set({ consumer }, 0);
  for (const event_type of eventTypes) {
    for (const outcome of outcomes) events.inc({ consumer, event_type, outcome }, 0);
    for (const reason of retryReasons) retries.inc({ consumer, event_type, reason }, 0);
  }
}
