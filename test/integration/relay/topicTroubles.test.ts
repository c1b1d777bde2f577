/** Relays on a broker that refuses single topics: their trouble is not the others'. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import type { Refusals } from '../../../dev/broker/apis/api';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { withAdmin } from '../../../src/kafka/withAdmin';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics, observeTopics } from '../../../src/relay/metrics';
import { readinessChecks } from '../../../src/relay/readiness';
import { Relay } from '../../../src/relay/relay';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { captureLogger, type CapturedLog, silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { append, poolOf } from './harness';
import { catalogue } from '../../../src/healthcore/catalogue';

const topicPrefix = 'one';
const deleted = `${topicPrefix}.patient.deleted`;
const updated = `${topicPrefix}.patient.updated`;

let database: TestDatabase;
let pool: Pool;
let directory: string;
let broker: DevBroker;
let refusals: Refusals;
let log: CapturedLog;
let running: Started[];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 8);
  directory = await mkdtemp(join(tmpdir(), 'signalbox-topics-'));
  refusals = () => undefined;
  broker = await startDevBroker({
    port: 0,
    dataDir: directory,
    logger: silentLogger(),
    refusals: (operation, name) => refusals(operation, name),
  });
  log = captureLogger();
  running = [];
});

afterEach(async () => {
  await Promise.all(running.map(({ relay }) => relay.stop()));
  await broker.stop();
  await pool.end();
  await database.drop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface Started {
  readonly relay: Relay;
  readonly publisher: KafkaPublisher;
  readonly registry: Registry;
  readonly readiness: () => Promise<{ ok: boolean; detail?: string }>;
}

async function startRelay({ createTopics = true, account = 'relay-account' } = {}): Promise<Started> {
  const { logger } = log;
  const registry = new Registry();
  const metrics = createRelayMetrics(registry);
  const id = crypto.randomUUID();
  const leaseMs = 2_000;
  const identity = { id, instance: id };
  const leases = new LaneLeases({ database: pool, identity, leaseMs, policy: 'wait', logger, metrics });
  const publisher = new KafkaPublisher({
    catalogue,
    kafka: createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: [broker.address], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      logger,
    ),
    topics: {
      KAFKA_TOPIC_PREFIX: topicPrefix,
      KAFKA_TOPIC_PARTITIONS: 3,
      KAFKA_REPLICATION_FACTOR: 1,
      KAFKA_TOPIC_RETENTION_MS: 3_600_000,
      KAFKA_CREATE_TOPICS: createTopics,
    },
    compression: 'none',
    logger,
    account,
    retryMaxMs: 200,
    topicPatienceMs: 300,
  });
  observeTopics(registry, declaredTopics(catalogue, topicPrefix), publisher);
  const relay = new Relay({
    database: pool,
    publisher,
    leases,
    leaseMs,
    pageSize: 100,
    pollIntervalMs: 50,
    retryMaxMs: 200,
    publishing: { catalogue, topicPrefix, maxMessageBytes: 1_000_000, policy: 'wait', account },
    logger,
    metrics,
  });
  const [, kafkaCheck] = readinessChecks({ database: pool, publisher, leases, relay });
  if (!kafkaCheck) throw new Error('There is no readiness check of Kafka');
  const started = { relay, publisher, registry, readiness: kafkaCheck.check };
  running.push(started);
  await relay.start();
  return started;
}

/** What the topic holds, as `key:n`, copies included. */
async function held(topic: string): Promise<string[]> {
  const kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const total = offsets.reduce((sum, { high }) => sum + Number(high), 0);
  const seen: string[] = [];
  if (total === 0) return seen;
  const consumer = kafka.consumer({ groupId: crypto.randomUUID(), maxWaitTimeInMs: 20 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { key, value } }) => {
        const { data } = JSON.parse(String(value)) as { data: { n: number } };
        seen.push(`${String(key)}:${data.n}`);
      },
    });
    await waitFor(() => seen.length >= total, { what: 'all messages of the topic' });
  } finally {
    await consumer.disconnect();
  }
  return seen;
}

interface SetAsideRow {
  label: string;
  reason: string;
  detail: string;
}

async function setAside(): Promise<SetAsideRow[]> {
  const { rows } = await pool.query<SetAsideRow>(
    `SELECT format('%s:%s', o.aggregate_id, o.data->>'n') AS label, p.reason, p.detail
     FROM signalbox.parked_event p JOIN signalbox.outbox o USING (lane, position) ORDER BY position`,
  );
  return rows;
}

async function untilHeld(...labels: string[]): Promise<SetAsideRow[]> {
  return waitFor(
    async () => {
      const rows = await setAside();
      return rows.map(({ label }) => label).join() === labels.join() ? rows : undefined;
    },
    { what: () => `${labels.join()} to be held:\n${log.lines().slice(-15).join('\n')}` },
  );
}

/** Writes events of c, which go to a topic that can be used, until that many events are held. */
async function writeUntilHeld(events: number): Promise<void> {
  let n = 0;
  await waitFor(
    async () => {
      n += 1;
      await append(pool, 'c', n);
      return (await setAside()).length === events;
    },
    { what: () => `${events} events to be held:\n${log.lines().slice(-15).join('\n')}`, intervalMs: 100 },
  );
}

async function untilReleased(): Promise<void> {
  await waitFor(async () => (await setAside()).length === 0, {
    what: () => `held events to go out:\n${log.lines().slice(-15).join('\n')}`,
  });
}

/** Events of a: updated, deleted, updated; of b: updated. */
async function writeEvents(first = 1): Promise<void> {
  await append(pool, 'a', first);
  await append(pool, 'a', first + 1, { eventType: 'patient.deleted' });
  await append(pool, 'a', first + 2);
  await append(pool, 'b', first);
}

const published = (topic: string, count: number): Promise<string[]> =>
  waitFor(
    async () => {
      const all = await held(topic).catch(() => []);
      return all.length >= count ? all : undefined;
    },
    { what: () => `${count} messages of ${topic}:\n${log.lines().slice(-15).join('\n')}` },
  );

describe.each([
  ['Write', 'TOPIC_AUTHORIZATION_FAILED', 'topic_refused'],
  ['Describe', 'TOPIC_AUTHORIZATION_FAILED', 'topic_refused'],
  ['Create', 'POLICY_VIOLATION', 'topic_refused'],
  ['Create', 'INVALID_REPLICATION_FACTOR', 'topic_refused'],
  ['Write', 'INVALID_TOPIC_EXCEPTION', 'topic_refused'],
  ['Write', 'NOT_ENOUGH_REPLICAS', 'topic_unavailable'],
  ['Describe', 'LEADER_NOT_AVAILABLE', 'topic_unavailable'],
] as const)('a topic of which %s is answered with %s', (operation, error, reason) => {
  test('is held alone, named everywhere, and goes out in order when Kafka takes it', async () => {
    refusals = (asked, name) => (asked === operation && name === deleted ? error : undefined);
    await writeEvents();
    const { publisher, registry, readiness } = await startRelay();
    await published(updated, 2);
    // That a topic is unavailable by itself is known only by another one that is not.
    if (reason === 'topic_unavailable') await writeUntilHeld(2);
    const rows = await untilHeld('a:2', 'a:3');
    expect(rows.map(({ label, reason }) => `${label} ${reason}`)).toEqual([`a:2 ${reason}`, 'a:3 behind']);
    expect(rows[0]?.detail).toContain(deleted);
    expect(rows[0]?.detail).toContain(error);
    if (reason === 'topic_refused') expect(rows[0]?.detail).toContain(`${operation} on the topic`);
    if (reason === 'topic_refused') expect(rows[0]?.detail).toContain('account "relay-account"');
    expect(publisher.topicTroubles.size).toBeLessThanOrEqual(1);
    await waitFor(
      async () => {
        const { ok, detail } = await readiness();
        return !ok && detail?.includes(error) && detail.includes(deleted);
      },
      { what: 'the readiness to name the topic' },
    );
    await waitFor(
      async () => (await registry.metrics()).includes(`signalbox_relay_topic_usable{topic="${deleted}"} 0`),
      { what: 'the metric' },
    );
    expect(await registry.metrics()).toContain(`signalbox_relay_topic_usable{topic="${updated}"} 1`);
    expect(log.lines().filter((line) => line.includes(deleted) && line.includes('held back'))).toHaveLength(
      1,
    );
    refusals = () => undefined;
    await untilReleased();
    expect(await published(deleted, 1)).toEqual(['a:2']);
    const others = (await published(updated, 3)).filter((label) => !label.startsWith('c:'));
    // Nothing twice: the first message of the topic was sent by itself.
    expect(others.sort()).toEqual(['a:1', 'a:3', 'b:1']);
    await waitFor(async () => (await readiness()).ok, { what: 'the relay to be ready' });
  });
});

test('a right that is taken away while a full page is on its way repeats that page once at most, however often relays restart', async () => {
  for (let n = 1; n <= 5; n += 1)
    await append(pool, 'w', n, { eventType: n % 2 ? 'patient.updated' : 'patient.deleted' });
  let { relay } = await startRelay();
  await published(updated, 3);
  await published(deleted, 2);
  refusals = (asked, name) =>
    asked === 'Write' && name === deleted ? 'TOPIC_AUTHORIZATION_FAILED' : undefined;
  const client = await pool.connect();
  await client.query('BEGIN');
  for (const eventType of ['patient.deleted', 'patient.updated']) {
    for (let n = 1; n <= 40; n += 1) await append(client, `k${n}`, n, { eventType });
  }
  await client.query('COMMIT');
  client.release();
  for (let start = 0; start < 3; start += 1) {
    await untilHeldCount(80);
    await relay.stop();
    await append(pool, 'other', start);
    ({ relay } = await startRelay());
    await waitFor(async () => (await held(updated)).includes(`other:${start}`), { what: 'another event' });
  }
  const seen = await held(updated);
  for (let start = 0; start < 3; start += 1)
    expect(seen.filter((label) => label === `other:${start}`)).toHaveLength(1);
  refusals = () => undefined;
  await untilReleased();
  for (const topic of [updated, deleted]) {
    const copies = (await held(topic)).filter((label) => label.startsWith('k'));
    expect(new Set(copies).size).toBe(40);
    expect(copies.length).toBeLessThanOrEqual(80);
  }
});

test('when no topic can be written to, nothing is held: the events stay where they are and go out in order', async () => {
  refusals = (asked) => (asked === 'Write' ? 'NOT_ENOUGH_REPLICAS' : undefined);
  await writeEvents();
  await startRelay();
  await waitFor(() => log.lines().filter((line) => line.includes('trying again')).length > 8, {
    what: 'some attempts',
  });
  expect(await setAside()).toEqual([]);
  expect(log.lines().join()).not.toContain('answer again');
  refusals = () => undefined;
  expect((await published(updated, 3)).filter((label) => label.startsWith('a'))).toEqual(['a:1', 'a:3']);
  expect(await published(deleted, 1)).toEqual(['a:2']);
  expect(await setAside()).toEqual([]);
});

test('a topic that is deleted while the relay runs is created again; with KAFKA_CREATE_TOPICS=false its events wait', async () => {
  await writeEvents();
  const { relay } = await startRelay();
  await published(deleted, 1);
  await deleteTopic();
  await append(pool, 'd', 1, { eventType: 'patient.deleted' });
  expect(await published(deleted, 1)).toEqual(['d:1']);
  await relay.stop();
  await startRelay({ createTopics: false });
  await append(pool, 'd', 2, { eventType: 'patient.deleted' });
  await published(deleted, 2);
  await deleteTopic();
  await append(pool, 'd', 3, { eventType: 'patient.deleted' });
  await append(pool, 'e', 1);
  const [row] = await untilHeld('d:3');
  expect(row).toMatchObject({ reason: 'topic_missing', detail: `Kafka has no topic "${deleted}".` });
  await waitFor(async () => (await held(updated)).includes('e:1'), { what: 'the other topic' });
});

test('an admin request that Kafka refuses is reported as that, not as a failure of the database, and stops nothing', async () => {
  refusals = (asked, name) => (asked === 'Create' && name === deleted ? 'POLICY_VIOLATION' : undefined);
  await writeEvents();
  const { publisher, registry } = await startRelay();
  await untilHeld('a:2', 'a:3');
  const refused = Object.assign(new Error('no'), { name: 'KafkaJSProtocolError', type: 'POLICY_VIOLATION' });
  const asked = jest.spyOn(publisher, 'checkTopics').mockRejectedValue(refused);
  await waitFor(() => asked.mock.calls.length > 0, { what: 'the topics to be asked for again' });
  await append(pool, 'f', 1);
  await waitFor(async () => (await held(updated)).includes('f:1'), { what: 'the other topic' });
  expect(log.lines().join()).toContain('could not be asked for its topics');
  expect(log.lines().join()).not.toContain('outbox failed');
  const metrics = await registry.metrics();
  expect(metrics).toContain('signalbox_relay_errors_total{kind="retryable",type="POLICY_VIOLATION"} 1');
  expect(metrics).not.toContain('kind="database"');
});

test('while the controller is away topics are not created, and the others are written to', async () => {
  await administer((admin) => admin.createTopics({ topics: [{ topic: updated }] }));
  refusals = (asked) => (asked === 'Create' ? 'NOT_CONTROLLER' : undefined);
  await writeEvents();
  await startRelay();
  expect(await published(updated, 2)).toHaveLength(2);
  const [row] = await untilHeld('a:2', 'a:3');
  expect(row?.detail).toContain('could not be created: NOT_CONTROLLER');
});

test("a foreign topic without a leader is not this relay's trouble", async () => {
  await administer((admin) => admin.createTopics({ topics: [{ topic: 'foreign' }] }));
  refusals = (asked, name) =>
    asked === 'Describe' && name === 'foreign' ? 'LEADER_NOT_AVAILABLE' : undefined;
  await writeEvents();
  await startRelay();
  await published(deleted, 1);
  expect(log.lines().join()).not.toContain('trying again');
});

const administer = (use: (admin: Admin) => Promise<unknown>): Promise<unknown> =>
  withAdmin(new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING }), (admin) =>
    use(admin as Admin),
  );

const deleteTopic = (): Promise<unknown> => administer((admin) => admin.deleteTopics({ topics: [deleted] }));

async function untilHeldCount(count: number): Promise<void> {
  await waitFor(async () => (await setAside()).length === count, {
    what: () => `${count} held events:\n${log.lines().slice(-15).join('\n')}`,
  });
}
