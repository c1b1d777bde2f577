import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { EventEnvelope } from '../events/envelope';
import { LagFigures } from './lag';

/** The consumers' figures; labels are names of ours only. */
export interface ConsumerMetrics {
  /** outcome: processed, duplicate, postponed, not_wanted, dead_letter, or not_for_us (a replay for another group). */
  readonly events: Counter<'consumer' | 'event_type' | 'outcome'>;
  /** reason: failed (it counts), own (it does not), or later (a postponed event's handler asks for it again). */
  readonly retries: Counter<'consumer' | 'event_type' | 'reason'>;
  readonly seconds: Histogram<'consumer' | 'event_type'>;
  readonly age: Histogram<'consumer' | 'event_type'>;
  readonly lag: LagFigures;
  readonly waiting: Gauge<'consumer'>;
  /** By consumer, whether Kafka answers it; asked whenever the figures are. */
  readonly connected: Map<string, () => boolean>;
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
    age: new Histogram({
      name: 'signalbox_consumer_event_age_seconds',
      help: "Time from an event's append, just before its commit, to the end of its processing by this consumer",
      labelNames: ['consumer', 'event_type'],
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1_800, 7_200, 86_400],
      registers,
    }),
    connected: observeConnections(registry),
    lag: new LagFigures(registry),
    waiting: new Gauge({
      name: 'signalbox_consumer_waiting_partitions',
      help: 'Partitions whose first message failed and waits for its next attempt',
      labelNames: ['consumer'],
      registers,
    }),
    postponed: new Gauge({
      name: 'signalbox_consumer_postponed',
      help: 'Postponed events of a consumer, those that wait for an earlier one of their aggregate included; each of its processes reports all of them: take max(), not sum()',
      labelNames: ['consumer'],
      registers,
    }),
    oldestPostponed: new Gauge({
      name: 'signalbox_consumer_postponed_oldest_seconds',
      help: 'How long the oldest postponed event of a consumer has been put aside; each of its processes reports the same: take max(), not sum()',
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

function observeConnections(registry: Registry): ConsumerMetrics['connected'] {
  const connected = new Map<string, () => boolean>();
  const gauge: Gauge<'consumer'> = new Gauge({
    name: 'signalbox_consumer_kafka_connected',
    help: '1 while this process is in its group and Kafka has answered it within the last seconds, else 0',
    labelNames: ['consumer'],
    collect: () => {
      for (const [consumer, isConnected] of connected) gauge.set({ consumer }, Number(isConnected()));
    },
    registers: [registry],
  });
  return connected;
}

/** Notes how old an event is that has been processed; by this machine's clock and that of the database. */
export function observeAge(
  { age }: Pick<ConsumerMetrics, 'age'>,
  consumer: string,
  { event_type, timestamp }: Pick<EventEnvelope, 'event_type' | 'timestamp'>,
): void {
  age.observe({ consumer, event_type }, Math.max(0, Date.now() - Date.parse(timestamp)) / 1_000);
}

const outcomes = ['processed', 'duplicate', 'postponed', 'not_wanted', 'dead_letter', 'not_for_us'];
const retryReasons = ['failed', 'own', 'later'];

/**
 * Gives every figure of a consumer its first value, 0: a counter that is born with its first event has no increase that
 * an alert could see.
 */
export function beginAtZero(
  {
    events,
    retries,
    waiting,
    age,
    seconds,
  }: Omit<ConsumerMetrics, 'lag' | 'connected' | 'postponed' | 'oldestPostponed' | 'topicUsable'>,
  consumer: string,
  eventTypes: readonly string[],
): void {
  waiting.set({ consumer }, 0);
  for (const event_type of eventTypes) {
    age.zero({ consumer, event_type });
    seconds.zero({ consumer, event_type });
    for (const outcome of outcomes) events.inc({ consumer, event_type, outcome }, 0);
    for (const reason of retryReasons) retries.inc({ consumer, event_type, reason }, 0);
  }
}
