/** Two relays on one outbox, one of which reaches Postgres and not Kafka; and two with different targets. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { withAdmin } from '../../../src/kafka/withAdmin';
import { readRelays } from '../../../src/outbox/log/laneStatus';
import { changeTarget, readTarget } from '../../../src/outbox/log/target';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics } from '../../../src/relay/metrics';
import { Relay } from '../../../src/relay/relay';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { captureLogger, type CapturedLog, silentLogger } from '../../support/logger';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';
import { append, poolOf, steppedRelay } from './harness';
import { catalogue } from '../../../src/healthcore/catalogue';

const leaseMs = 1_000;
let database: TestDatabase;
let pool: Pool;
let directory: string;
let broker: DevBroker;
let proxy: TcpProxy;
let log: CapturedLog;
let relays: Relay[];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 12);
  directory = await mkdtemp(join(tmpdir(), 'signalbox-stand-by-'));
  broker = await startDevBroker({ port: 0, dataDir: join(directory, 'one'), logger: silentLogger() });
  proxy = await startTcpProxy({ port: broker.port });
  log = captureLogger();
  relays = [];
});

afterEach(async () => {
  proxy.resume();
  await Promise.all(relays.map((relay) => relay.stop()));
  await proxy.close();
  await broker.stop();
  await pool.end();
  await database.drop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

interface RelayOptions {
  /** Where all connections to Kafka go, whatever the broker says of its address. */
  readonly via?: number;
  readonly address?: string;
  readonly topicPrefix?: string;
}

async function start(instance: string, options: RelayOptions = {}): Promise<Relay> {
  const { address = broker.address, topicPrefix = 'test', via } = options;
  const { logger } = log;
  const metrics = createRelayMetrics(new Registry());
  const identity = { id: crypto.randomUUID(), instance };
  const leases = new LaneLeases({ database: pool, identity, leaseMs, policy: 'wait', logger, metrics });
  const kafka = new Kafka({
    brokers: [address],
    logLevel: logLevel.NOTHING,
    connectionTimeout: 1_000,
    requestTimeout: 2_000,
    retry: { retries: 1, initialRetryTime: 50, maxRetryTime: 100 },
    ...(via === undefined
      ? {}
      : { socketFactory: ({ onConnect }) => connect({ host: '127.0.0.1', port: via }, onConnect) }),
  });
  const topics = {
    KAFKA_TOPIC_PREFIX: topicPrefix,
    KAFKA_TOPIC_PARTITIONS: 1,
    KAFKA_REPLICATION_FACTOR: 1,
    KAFKA_TOPIC_RETENTION_MS: 3_600_000,
    KAFKA_CREATE_TOPICS: true,
  };
  const relay = new Relay({
    database: pool,
    publisher: new KafkaPublisher({ catalogue, kafka, topics, compression: 'none', logger }),
    leases,
    leaseMs,
    pageSize: 100,
    pollIntervalMs: 50,
    retryMaxMs: 200,
    publishing: { catalogue, topicPrefix, maxMessageBytes: 1_000_000, policy: 'wait' },
    logger,
    metrics,
  });
  relays.push(relay);
  await relay.start();
  return relay;
}

/** How many lanes each instance owns. */
async function shares(): Promise<Record<string, number>> {
  const { rows } = await pool.query<{ instance: string; lanes: number }>(
    `SELECT r.instance, count(l.lane)::int AS lanes FROM signalbox.relay r
     LEFT JOIN signalbox.lane l ON l.owner = r.id GROUP BY r.instance`,
  );
  return Object.fromEntries(rows.map(({ instance, lanes }) => [instance, lanes]));
}

const untilShares = (wanted: Record<string, number>): Promise<unknown> =>
  waitFor(
    async () => {
      const found = await shares();
      return Object.entries(wanted).every(([instance, lanes]) => found[instance] === lanes);
    },
    { what: () => `lanes to be shared as ${JSON.stringify(wanted)}:\n${log.lines().slice(-12).join('\n')}` },
  );

const appendToAllLanes = async (n: number): Promise<void> => {
  for (let lane = 0; lane < 16; lane += 1) await append(pool, `k${lane}`, n, { lane });
};

/** The events in a topic, as `key:n`, copies included. */
async function held(address: string, topicPrefix = 'test'): Promise<string[]> {
  const topic = `${topicPrefix}.patient.updated`;
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });
  const [offsets] = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(topic));
  const seen: string[] = [];
  if (offsets?.high === '0') return seen;
  const consumer = kafka.consumer({ groupId: crypto.randomUUID(), maxWaitTimeInMs: 20 });
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { key, value } }) => {
        seen.push(`${String(key)}:${(JSON.parse(String(value)) as { data: { n: number } }).data.n}`);
      },
    });
    await waitFor(() => seen.length >= Number(offsets?.high), { what: 'all messages of the topic' });
  } finally {
    await consumer.disconnect();
  }
  return seen;
}

const untilPublished = (count: number): Promise<unknown> =>
  waitFor(async () => new Set(await held(broker.address).catch(() => [])).size === count, {
    what: () => `${count} events:\n${log.lines().slice(-12).join('\n')}`,
    intervalMs: 100,
    deadlineMs: 40_000,
  });

describe.each([
  ['is cut off from Kafka', () => (proxy.refuse(), proxy.cut()), () => proxy.accept()],
  ['has a Kafka that does not answer', () => proxy.pause(), () => proxy.resume()],
] as const)('a relay that %s', (_what, breakIt, restore) => {
  test('leaves its lanes to the other one, and has its share again when Kafka answers', async () => {
    await start('far', { via: proxy.port });
    await start('near');
    await untilShares({ far: 8, near: 8 });
    await appendToAllLanes(1);
    await untilPublished(16);
    breakIt();
    await appendToAllLanes(2);
    await untilShares({ far: 0, near: 16 });
    await untilPublished(32);
    expect(await readRelays(pool)).toEqual([
      { instance: 'far', standsBy: true },
      { instance: 'near', standsBy: false },
    ]);
    expect(relays.map(({ standsBy }) => standsBy)).toEqual([true, false]);
    restore();
    await untilShares({ far: 8, near: 8 });
    await appendToAllLanes(3);
    await untilPublished(48);
    for (let lane = 0; lane < 16; lane += 1) {
      const first = [
        ...new Set((await held(broker.address)).filter((label) => label.startsWith(`k${lane}:`))),
      ];
      expect(first).toEqual([1, 2, 3].map((n) => `k${lane}:${n}`));
    }
  });
});

test('a relay that stands by gives its lanes up at once, also while it is stuck in a send', async () => {
  const [far, near] = [steppedRelay(pool), steppedRelay(pool)];
  await far.leases.renew();
  expect(far.leases.size).toBe(16);
  await near.leases.renew();
  // No poll of its own ends meanwhile, which would give the surplus up.
  await far.leases.renew({ standsBy: true });
  expect(far.leases.size).toBe(0);
  await near.leases.renew();
  expect(near.leases.size).toBe(16);
  await near.leases.renew({ standsBy: true });
  // Nobody takes part any more: then all that are alive share the lanes.
  expect(near.leases.size).toBe(8);
});

test('a relay that has never reached Kafka takes no lane from one that has', async () => {
  proxy.refuse();
  await start('near');
  await untilShares({ near: 16 });
  await appendToAllLanes(1);
  await untilPublished(16);
  await start('far', { via: proxy.port });
  await waitFor(async () => (await readRelays(pool)).length === 2, { what: 'the other relay' });
  await appendToAllLanes(2);
  await untilPublished(32);
  await untilShares({ far: 0, near: 16 });
});

test('a relay that is alone keeps its lanes while Kafka is away, and goes on at once when it is back', async () => {
  await start('far', { via: proxy.port });
  await untilShares({ far: 16 });
  await appendToAllLanes(1);
  await untilPublished(16);
  proxy.refuse();
  proxy.cut();
  await appendToAllLanes(2);
  await waitFor(() => relays[0]?.standsBy, { what: 'it to stand by' });
  expect(await shares()).toEqual({ far: 16 });
  proxy.accept();
  await untilPublished(32);
  expect(relays[0]?.standsBy).toBe(false);
});

describe('a relay with another target', () => {
  let other: DevBroker;
  beforeEach(async () => {
    other = await startDevBroker({ port: 0, dataDir: join(directory, 'two'), logger: silentLogger() });
  });
  afterEach(() => other.stop());

  test.each([
    ['prefix', (): RelayOptions => ({ topicPrefix: 'staging' }), 'staging.*'],
    ['cluster', (): RelayOptions => ({ address: other.address }), 'Kafka cluster'],
  ])('is refused with one line: another %s', async (_what, options, named) => {
    await start('first');
    await appendToAllLanes(1);
    await untilPublished(16);
    const second = await start('second', options());
    await expect(second.failed).rejects.toThrow(named);
    await expect(second.failed).rejects.toThrow(
      /would be split .* "npx signalbox ops outbox target --execute"/,
    );
    await second.stop();
    await appendToAllLanes(2);
    await untilPublished(32);
    const { clusterId } = (await readTarget(pool)) ?? {};
    expect(clusterId).toBeTruthy();
    await expect(changeTarget(pool, { clusterId: 'x', topicPrefix: 'y' })).rejects.toThrow(
      'while relays run: first',
    );
    expect(await readTarget(pool)).toMatchObject({ clusterId, topicPrefix: 'test' });
  });

  test('takes over what waits once the target was changed, and nothing is in both', async () => {
    const first = await start('first');
    await appendToAllLanes(1);
    await untilPublished(16);
    await first.stop();
    await appendToAllLanes(2);
    const kafka = new Kafka({ brokers: [other.address], logLevel: logLevel.NOTHING });
    const { clusterId } = await withAdmin(kafka, (admin) => admin.describeCluster());
    await changeTarget(pool, { clusterId, topicPrefix: 'test' });
    await expect((await start('late')).failed).rejects.toThrow('would be split');
    await start('second', { address: other.address });
    await waitFor(async () => (await held(other.address).catch(() => [])).length === 16, {
      what: 'the rest',
    });
    expect((await held(other.address)).every((label) => label.endsWith(':2'))).toBe(true);
    expect((await held(broker.address)).every((label) => label.endsWith(':1'))).toBe(true);
  });

  test('that is changed under a relay which only slept ends it, and shuts its cursors out', async () => {
    const first = await start('first');
    await untilShares({ first: 16 });
    await waitFor(() => readTarget(pool), { what: 'the target' });
    const epochs = async (): Promise<number> => {
      const { rows } = await pool.query<{ sum: number }>('SELECT sum(epoch)::int AS sum FROM signalbox.lane');
      return rows[0]?.sum ?? 0;
    };
    const before = await epochs();
    // As after a pause longer than its lease: its next heartbeat waits for this transaction.
    const client = await pool.connect();
    await client.query('BEGIN; UPDATE signalbox.relay SET expires_at = clock_timestamp()');
    await changeTarget(client, { clusterId: 'elsewhere', topicPrefix: 'test' });
    await client.query('COMMIT');
    client.release();
    await expect(first.failed).rejects.toThrow('elsewhere');
    expect(await epochs()).toBeGreaterThanOrEqual(before + 16);
  });
});
