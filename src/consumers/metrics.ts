import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

/** The consumers' figures; labels are names of ours only. */
export interface ConsumerMetrics {
  /** outcome: processed, duplicate, dead_letter, or not_for_us (a replay for another group). */
  readonly events: Counter<'consumer' | 'event_type' | 'outcome'>;
  /** reason: failed (it counts) or own (it does not). */
  readonly retries: Counter<'consumer' | 'event_type' | 'reason'>;
  readonly seconds: Histogram<'consumer' | 'event_type'>;
  readonly lag: Gauge<'consumer' | 'topic' | 'partition'>;
  readonly waiting: Gauge<'consumer'>;
}

/** Declares them on a registry, which all consumers of a process share. */
export function createConsumerMetrics(registry: Registry): ConsumerMetrics {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'signalbox_consumer_events_total',
      help: 'Messages that a consumer is done with, by outcome: processed, duplicate, dead_letter, not_for_us',
      labelNames: ['consumer', 'event_type', 'outcome'],
      registers,
    }),
    retries: new Counter({
      name: 'signalbox_consumer_retries_total',
      help: 'Attempts that will be repeated, by reason: failed (the handler), own (database or dead-letter topic away)',
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
    lag: new Gauge({
      name: 'signalbox_consumer_lag',
      help: 'Messages of a partition that are not yet processed, as of its last batch',
      labelNames: ['consumer', 'topic', 'partition'],
      registers,
    }),
    waiting: new Gauge({
      name: 'signalbox_consumer_waiting_partitions',
      help: 'Partitions whose first message failed and waits for its next attempt',
      labelNames: ['consumer'],
      registers,
    }),
  };
}
