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
import { silentLogger } from '../../support/logger';
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

async function start(handlers: Handlers): Promise<Registry> {
  const registry = new Registry();
  const consumer = createConsumer({
    name: 'figures',
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

/** An event that was appended an hour ago. */
async function sendOldEvent(): Promise<void> {
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
  const registry = await start({ 'patient.created': () => hangs });
  const lag = (): Promise<number | undefined> => sample(registry, 'signalbox_consumer_lag_seconds{');
  await waitFor(async () => ((await lag()) ?? 0) > 3_500, { what: 'the age of the message' });
  expect(await sample(registry, 'signalbox_consumer_lag{')).toBe(1);
  expect(await sample(registry, 'signalbox_consumer_kafka_connected{consumer="figures"}')).toBe(1);
  end();
  await waitFor(async () => (await lag()) === 0, { what: 'the message to be done' });
});

test('the age of an event at its processing counts from its append, and its label holds nothing of a patient', async () => {
  await sendOldEvent();
  const registry = await start({ 'patient.created': async () => undefined });
  const labels = '{consumer="figures",event_type="patient.created"}';
  expect(await sample(registry, `signalbox_consumer_event_age_seconds_count${labels}`)).toBe(0);
  const counted = `signalbox_consumer_event_age_seconds_count${labels}`;
  await waitFor(async () => ((await sample(registry, counted)) ?? 0) > 0, { what: 'the event' });
  const sum = await sample(registry, `signalbox_consumer_event_age_seconds_sum${labels}`);
  expect(sum).toBeGreaterThan(3_500);
  expect(await registry.metrics()).not.toContain(patientMarker);
});

test('dead letters wait until they are settled', async () => {
  const pool = new Pool({ connectionString: database.url });
  const registry = new Registry();
  const topic = topics[1] ?? '';
  const options = { kafka, topic, pool, registry, logger: silentLogger(), intervalMs: 100 };
  const watch = new DeadLetterWatch(options);
  const waiting = (): Promise<number | undefined> => sample(registry, 'signalbox_dead_letters_waiting');
  try {
    expect(await waiting()).toBe(0);
    await watch.start();
    await producer.send({ topic, messages: [{ value: 'one' }, { value: 'two' }] });
    await waitFor(async () => (await waiting()) === 2, { what: 'two letters' });
    await pool.query(
      `INSERT INTO signalbox.settled_dead_letter ("topic", "partition", "offset", "written_at", "action")
       VALUES ($1, 0, 0, now(), 'discarded')`,
      [topic],
    );
    await waitFor(async () => (await waiting()) === 1, { what: 'one letter' });
  } finally {
    await watch.stop();
    await pool.end();
  }
});
