import { processLines, quantileBy, rateBy } from './expressions';
import { type Dashboard, lines, stat } from './panel';

const own = processLines('consumers');

/** Which consumer is behind, in messages and in seconds, and what it stumbles over. */
export const consumers: Dashboard = {
  name: 'consumers',
  title: 'consumers and lag',
  description: 'How far each consumer is behind, how long it takes, and what it has given up or put off.',
  panels: [
    stat('Oldest unprocessed message', 's', 'Of all consumers.', 'max(signalbox:consumer_lag_seconds:max)', {
      redFrom: 60,
    }),
    stat('Messages behind', 'short', 'Over all consumers.', 'sum(signalbox_consumer_lag)'),
    stat(
      'Dead letters waiting',
      'short',
      'Neither replayed nor discarded.',
      'max(signalbox_dead_letters_waiting)',
      {
        redFrom: 1,
      },
    ),
    stat(
      'Postponed events',
      'short',
      'Over all consumers.',
      'sum(max by (consumer) (signalbox_consumer_postponed))',
    ),
    stat(
      'Oldest postponed event',
      's',
      'Since it was put aside.',
      'max(signalbox_consumer_postponed_oldest_seconds)',
      { redFrom: 3600 },
    ),
    stat(
      'Consumers that reach Kafka',
      'percentunit',
      'Share of all.',
      'avg(max by (consumer) (signalbox_consumer_kafka_connected))',
      { redBelow: 1 },
    ),
    lines('Age of the oldest unprocessed message', 's', 'Grows while a consumer stands still.', {
      '{{consumer}}': 'signalbox:consumer_lag_seconds:max',
    }),
    lines('Messages behind', 'short', 'By consumer.', {
      '{{consumer}}': 'sum by (consumer) (signalbox_consumer_lag)',
    }),
    lines('Age by topic', 's', 'Of the oldest unprocessed message.', {
      '{{consumer}} {{topic}}': 'max by (consumer, topic) (signalbox_consumer_lag_seconds)',
    }),
    lines('Messages per second', 'short', 'That a consumer is done with, by outcome.', {
      '{{consumer}} {{outcome}}': rateBy('consumer, outcome', 'signalbox_consumer_events_total'),
    }),
    lines('Age of an event when it is processed', 's', '95th percentile, from the append of the event.', {
      '{{consumer}}': quantileBy(0.95, 'consumer', 'signalbox_consumer_event_age_seconds'),
    }),
    lines('Time that a message takes', 's', '95th percentile: its handler and its transaction.', {
      '{{consumer}}': quantileBy(0.95, 'consumer', 'signalbox_consumer_event_seconds'),
    }),
    lines(
      'Repeated attempts per second',
      'short',
      'failed: the handler; own: database or dead-letter topic away; later: postponed again.',
      {
        '{{consumer}} {{reason}}': rateBy('consumer, reason', 'signalbox_consumer_retries_total'),
      },
    ),
    lines('Partitions that wait', 'short', 'Their first message failed and waits for its next attempt.', {
      '{{consumer}}': 'sum by (consumer) (signalbox_consumer_waiting_partitions)',
    }),
    lines('Dead letters', 'short', 'Those that wait, and those that were written per second.', {
      waiting: 'max(signalbox_dead_letters_waiting)',
      'written: {{consumer}}': rateBy('consumer', 'signalbox_consumer_events_total{outcome="dead_letter"}'),
    }),
    lines('Postponed events', 'short', 'Each process reports all of its consumer.', {
      '{{consumer}}': 'max by (consumer) (signalbox_consumer_postponed)',
    }),
    lines('Age of the oldest postponed event', 's', 'Since it was put aside.', {
      '{{consumer}}': 'max by (consumer) (signalbox_consumer_postponed_oldest_seconds)',
    }),
    lines('Usable topics', 'short', '0 while a topic is missing or may not be read.', {
      '{{consumer}} {{topic}}': 'min by (consumer, topic) (signalbox_consumer_topic_usable)',
    }),
    lines('CPU of the consumers', 'percentunit', 'Share of a core.', own.cpu),
    lines('Memory of the consumers', 'bytes', 'Resident.', own.memory),
  ],
};
