/** Figures that people page on, told by a consumer on a broker. */
import { Partitioners, type Producer } from 'kafkajs';
import { Pool } from 'pg';
import { Registry } from 'prom-client';
import { type Consumer, createConsumer } from '../../../src/consumers/consumer';
import { DeadLetterWatch } from '../../../src/consumers/deadLetters/watch';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { catalogue } from '../../../src/healthcore/catalogue';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { deadLetterTopic, topicOf } from '../../../src/kafka/topics/topicNames';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated, patientMarker } from '../../support/events';
import { createTopics, deleteTopics, kafkaBrokers, testKafka, uniqueName } from '../../support/kafka';
import { captureLogger, silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';

const hourMs = 3_600_000;
const prefix = uniqueName('figures').replaceAll('.', '-');
const topics = [topicOf(prefix, 'patient.created'), deadLetterTopic(prefix)];
const kafka = createKafka(
  { KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers(), KAFKA_CLIENT_ID: 'figures', KAFKA_SSL: false },
  silentLogger(),
);
let database: TestDatabase;
let prisma: PrismaClient;
let producer: Producer;
const consumers: Consumer[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 5,
    applicationName: 'figures',
    logger: silentLogger(),
  });
  await createTopics(...topics.map((topic) => ({ topic })));
  producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
});
afterEach(() => Promise.all(consumers.splice(0).map((consumer) => consumer.stop())));
afterAll(async () => {
  await producer.disconnect();
  await prisma.$disconnect();
  await database.drop();
  await deleteTopics(...topics);
});

async function start(name: string, handlers: Handlers, messagesPerTransaction = 1): Promise<Registry> {
  const registry = new Registry();
  const consumer = createConsumer({
    name,
    group: uniqueName('group'),
    handlers,
    kafka,
    catalogue,
    topicPrefix: prefix,
    database: prisma,
    logger: silentLogger(),
    metrics: createConsumerMetrics(registry),
    retry: { retryLimit: 3, retryMaxMs: 300 },
    sessionTimeoutMs: 10_000,
    sharedTransactions: { most: messagesPerTransaction },
  });
  consumers.push(consumer);
  await consumer.start();
  return registry;
}

/** The value of the only sample whose line begins so. */
async function sample(registry: Registry, start: string): Promise<number | undefined> {
  const line = (await registry.metrics()).split('\n').find((text) => text.startsWith(start));
  return line === undefined ? undefined : Number(line.split(' ').at(-1));
}

/** All consumers of this file read all events that it has sent. */
let sent = 0;

/** An event that was appended an hour ago. */
async function sendOldEvent(): Promise<void> {
  sent += 1;
  const at = new Date(Date.now() - hourMs);
  const event = { ...patientCreated(), timestamp: at.toISOString() };
  const message = {
    key: event.metadata.aggregate_id,
    value: JSON.stringify(event),
    timestamp: String(at.getTime()),
  };
  await producer.send({ topic: topics[0] ?? '', messages: [message] });
}

test('lag in seconds is the age of the oldest message, also while its handler hangs and just after a start', async () => {
  await sendOldEvent();
  let end: () => void = () => undefined;
  const hangs = new Promise<void>((resolve) => (end = resolve));
  const registry = await start('hanging', { 'patient.created': () => hangs });
  const lag = (): Promise<number | undefined> => sample(registry, 'signalbox_consumer_lag_seconds{');
  await waitFor(async () => ((await lag()) ?? 0) > 3_500, { what: 'the age of the message' });
  expect(await sample(registry, 'signalbox_consumer_lag{')).toBe(1);
  expect(await sample(registry, 'signalbox_consumer_kafka_connected{consumer="hanging"}')).toBe(1);
  end();
  await waitFor(async () => (await lag()) === 0, { what: 'the message to be done' });
});

test.each([1, 10])(
  'the age of an event counts from its append to its processing, once, with %i messages in a transaction',
  async (most) => {
    await sendOldEvent();
    await sendOldEvent();
    const name = `reading-${most}`;
    const labels = `{consumer="${name}",event_type="patient.created"`;
    const begin = async (): Promise<Registry> =>
      start(name, { 'patient.created': async () => undefined }, most);
    const outcome = (registry: Registry, kind: string): Promise<number | undefined> =>
      sample(registry, `signalbox_consumer_events_total${labels},outcome="${kind}"}`);
    const aged = (registry: Registry, what: 'count' | 'sum'): Promise<number | undefined> =>
      sample(registry, `signalbox_consumer_event_age_seconds_${what}${labels}}`);
    const registry = await begin();
    expect(await aged(registry, 'count')).toBe(0);
    await waitFor(async () => (await outcome(registry, 'processed')) === sent, { what: 'all events' });
    expect(await aged(registry, 'count')).toBe(sent);
    expect(await aged(registry, 'sum')).toBeGreaterThan(3_500 * sent);
    expect(await registry.metrics()).not.toContain(patientMarker);
    // Another group of the same consumer gets them again, and has no effect.
    const again = await begin();
    await waitFor(async () => (await outcome(again, 'duplicate')) === sent, {
      what: 'duplicates',
    });
    expect(await aged(again, 'count')).toBe(0);
  },
);

test('dead letters wait until they are settled; while they cannot be counted there is no figure', async () => {
  const pool = new Pool({ connectionString: database.url });
  const registry = new Registry();
  const topic = topics[1] ?? '';
  const log = captureLogger();
  let isAway = true;
  const query = async (...asked: [string, unknown[]]): Promise<unknown> => {
    if (isAway) throw new Error('away');
    return pool.query(...asked);
  };
  const options = {
    kafka,
    topic,
    pool: { query } as unknown as Pool,
    registry,
    logger: log.logger,
    intervalMs: 100,
  };
  const watch = new DeadLetterWatch(options);
  const waiting = (): Promise<number | undefined> => sample(registry, 'signalbox_dead_letters_waiting');
  try {
    expect(await waiting()).toBeUndefined();
    await watch.start();
    await waitFor(() => log.lines().length > 0, { what: 'the warning' });
    expect(await waiting()).toBeUndefined();
    isAway = false;
    await waitFor(async () => (await waiting()) === 0, { what: 'a count' });
    await producer.send({ topic, messages: [{ value: 'one' }, { value: 'two' }] });
    await waitFor(async () => (await waiting()) === 2, { what: 'two letters' });
    await pool.query(
      `INSERT INTO signalbox.settled_dead_letter ("topic", "partition", "offset", "written_at", "action")
       VALUES ($1, 0, 0, now(), 'discarded')`,
      [topic],
    );
    await waitFor(async () => (await waiting()) === 1, { what: 'one letter' });
    isAway = true;
    await waitFor(async () => (await waiting()) === undefined, { what: 'the old figure to be gone' });
  } finally {
    await watch.stop();
    await pool.end();
  }
});
