import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import type { Publisher } from '../kafka/publish/publisher';
import { faultReasons, waitReasons } from '../outbox/log/settle';
import type { Cause } from '../shared/pollLoop';

/** The relay's figures; labels are names of ours only. */
export interface RelayMetrics {
  readonly events: Counter<'topic'>;
  readonly bytes: Counter<'topic'>;
  readonly latency: Histogram;
  /** step: read, publish, settle. */
  readonly steps: Histogram<'step'>;
  /** kind: retryable, topic, poison, fatal, database. */
  readonly errors: Counter<'kind' | 'type'>;
  readonly lanesOwned: Gauge;
  readonly leaseLosses: Counter;
  /** state: parked or held. */
  readonly setAside: Counter<'state' | 'reason'>;
  /** cause: woken, poll, more, retry. */
  readonly wakeUps: Counter<'cause'>;
  readonly connected: Gauge;
  readonly standsBy: Gauge;
}

/** Declares them on a registry. */
export function createRelayMetrics(registry: Registry): RelayMetrics {
  const registers = [registry];
  return {
    events: new Counter({
      name: 'signalbox_relay_events_total',
      help: 'Events that Kafka has acknowledged',
      labelNames: ['topic'],
      registers,
    }),
    bytes: new Counter({
      name: 'signalbox_relay_bytes_total',
      help: 'Uncompressed size of the messages that Kafka has acknowledged',
      labelNames: ['topic'],
      registers,
    }),
    ...timings(registers),
    errors: new Counter({
      name: 'signalbox_relay_errors_total',
      help: 'Failed attempts by kind (retryable, topic, poison, fatal, database) and what was answered',
      labelNames: ['kind', 'type'],
      registers,
    }),
    lanesOwned: new Gauge({
      name: 'signalbox_relay_lanes_owned',
      help: 'Lanes that this relay publishes',
      registers,
    }),
    leaseLosses: new Counter({
      name: 'signalbox_relay_lease_losses_total',
      help: 'Lanes that another relay took while this one believed to own them',
      registers,
    }),
    setAside: new Counter({
      name: 'signalbox_relay_set_aside_total',
      help: 'Events set aside instead of published, by state and reason',
      labelNames: ['state', 'reason'],
      registers,
    }),
    wakeUps: new Counter({
      name: 'signalbox_relay_wake_ups_total',
      help: 'Looks at the outbox by what caused them',
      labelNames: ['cause'],
      registers,
    }),
    connected: new Gauge({
      name: 'signalbox_relay_kafka_connected',
      help: '1 while the last exchange with Kafka succeeded',
      registers,
    }),
    standsBy: new Gauge({
      name: 'signalbox_relay_stands_by',
      help: '1 while this relay leaves the lanes to others, because Kafka does not answer it',
      registers,
    }),
  };
}

function timings(registers: Registry[]): Pick<RelayMetrics, 'latency' | 'steps'> {
  return {
    latency: new Histogram({
      name: 'signalbox_relay_event_seconds',
      help: "Time from an event's append, just before its commit, to Kafka's acknowledgement",
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 120, 600],
      registers,
    }),
    steps: new Histogram({
      name: 'signalbox_relay_step_seconds',
      help: 'Time that a look waits for its pages (read), sends them (publish) and moves the cursors (settle)',
      labelNames: ['step'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
      registers,
    }),
  };
}

/** Counts what Kafka has acknowledged; added up first, because finding a label's figure costs more than adding. */
export function countSent(
  { events, bytes, latency }: RelayMetrics,
  messages: readonly { topic: string; bytes: number }[],
  rows: readonly { occurredAt: Date }[],
): void {
  const byTopic = new Map<string, { events: number; bytes: number }>();
  for (const message of messages) {
    const sum = byTopic.get(message.topic) ?? { events: 0, bytes: 0 };
    sum.events += 1;
    sum.bytes += message.bytes;
    byTopic.set(message.topic, sum);
  }
  for (const [topic, sum] of byTopic) {
    events.inc({ topic }, sum.events);
    bytes.inc({ topic }, sum.bytes);
  }
  const now = Date.now();
  for (const { occurredAt } of rows) latency.observe(Math.max(0, now - occurredAt.getTime()) / 1000);
}

/** Measures a step of a look. */
export async function timed<T>(
  { steps }: RelayMetrics,
  step: 'read' | 'publish' | 'settle',
  work: () => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  steps.observe({ step }, (performance.now() - startedAt) / 1_000);
  return result;
}

/** Shows for each topic whether it can be written to, from the start on. */
export function observeTopics(
  registry: Registry,
  topics: readonly string[],
  publisher: Pick<Publisher, 'topicTroubles'>,
): void {
  const gauge: Gauge<'topic'> = new Gauge({
    name: 'signalbox_relay_topic_usable',
    help: '0 while Kafka does not have, or refuses, or cannot write to a topic: its events are held',
    labelNames: ['topic'],
    collect: () => {
      for (const topic of topics) gauge.set({ topic }, publisher.topicTroubles.has(topic) ? 0 : 1);
    },
    registers: [registry],
  });
}

const wakeUpCauses: readonly Cause[] = ['woken', 'poll', 'more', 'retry'];

/** Gives the figures their first value, 0: a counter that is born with its first event has no increase to see. */
export function beginAtZero(
  { events, bytes, setAside, wakeUps }: RelayMetrics,
  topics: readonly string[],
): void {
  for (const topic of topics) {
    events.inc({ topic }, 0);
    bytes.inc({ topic }, 0);
  }
  for (const cause of wakeUpCauses) wakeUps.inc({ cause }, 0);
  for (const reason of faultReasons) setAside.inc({ state: 'parked', reason }, 0);
  for (const reason of waitReasons) setAside.inc({ state: 'held', reason }, 0);
}
