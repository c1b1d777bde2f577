/** A relay in this process on a broker of its own, with which something is wrong. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { Registry } from 'prom-client';
import type { Pool } from 'pg';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { type ErrorCode, ProtocolError } from '../../../dev/broker/protocol/errorCodes';
import { PartitionLog } from '../../../dev/broker/storage/partitionLog';
import { findFreePort } from '../../../dev/postgres/ports';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { readBacklog } from '../../../src/outbox/log/backlog';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics } from '../../../src/relay/metrics';
import { Relay } from '../../../src/relay/relay';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { uniqueName } from '../../support/kafka';
import { captureLogger, type CapturedLog, silentLogger } from '../../support/logger';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';
import { append, poolOf } from './harness';
import { catalogue } from '../../../src/healthcore/catalogue';

const leaseMs = 1_000;
const topicPrefix = 'trouble';
/** NOT_LEADER_OR_FOLLOWER: a broker that is alone never says so by itself. */
const notLeader = 6 as number as ErrorCode;

let database: TestDatabase;
let pool: Pool;
let directory: string;
let broker: DevBroker;
let proxy: TcpProxy;
let log: CapturedLog;
let relay: Relay;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 8);
  directory = await mkdtemp(join(tmpdir(), 'signalbox-trouble-'));
  const port = await findFreePort();
  proxy = await startTcpProxy({ port });
  broker = await startDevBroker({
    port,
    advertisedPort: proxy.port,
    dataDir: directory,
    logger: silentLogger(),
  });
  log = captureLogger();
  relay = createRelay();
});

afterEach(async () => {
  jest.restoreAllMocks();
  proxy.resume();
  proxy.delay(0);
  await relay.stop();
  await proxy.close();
  await broker.stop();
  await pool.end();
  await database.drop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

function createRelay(): Relay {
  const { logger } = log;
  const metrics = createRelayMetrics(new Registry());
  const id = crypto.randomUUID();
  const identity = { id, instance: id };
  const leases = new LaneLeases({ database: pool, identity, leaseMs, policy: 'wait', logger, metrics });
  const kafka = createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: [proxy.address], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
    logger,
  );
  const topics = {
    KAFKA_TOPIC_PREFIX: topicPrefix,
    KAFKA_TOPIC_PARTITIONS: 3,
    KAFKA_REPLICATION_FACTOR: 1,
    KAFKA_TOPIC_RETENTION_MS: 3_600_000,
    KAFKA_CREATE_TOPICS: true,
  };
  return new Relay({
    database: pool,
    publisher: new KafkaPublisher({ catalogue, kafka, topics, compression: 'none', logger }),
    leases,
    leaseMs,
    pageSize: 20,
    pollIntervalMs: 50,
    retryMaxMs: 300,
    publishing: { catalogue, topicPrefix, maxMessageBytes: 1_000_000, policy: 'wait' },
    logger,
    metrics,
  });
}

const keys = ['a', 'b', 'c'];
const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

async function write(from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) for (const key of keys) await append(pool, key, n);
}

async function published(): Promise<void> {
  await waitFor(async () => (await readBacklog(pool)).rows === 0, {
    what: () => `the backlog to be published:\n${log.lines().slice(-20).join('\n')}`,
    deadlineMs: 50_000,
  });
}

/** The numbers of each key in the order of their first copies. */
async function firstCopies(): Promise<Record<string, number[]>> {
  const kafka = new Kafka({ brokers: [proxy.address], logLevel: logLevel.NOTHING });
  const consumer = kafka.consumer({ groupId: uniqueName('reader'), maxWaitTimeInMs: 50 });
  const seen = new Map(keys.map((key) => [key, new Set<number>()]));
  await consumer.connect();
  try {
    await consumer.subscribe({ topic: `${topicPrefix}.patient.updated`, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { key, value } }) => {
        const { data } = JSON.parse(String(value)) as { data: { n: number } };
        seen.get(String(key))?.add(data.n);
      },
    });
    const { rows } = await pool.query<{ count: number }>(
      'SELECT count(*)::int AS count FROM signalbox.outbox',
    );
    const total = (): number => [...seen.values()].reduce((sum, { size }) => sum + size, 0);
    await waitFor(() => total() === rows[0]?.count, { what: () => `all events (${total()} are there)` });
  } finally {
    await consumer.disconnect();
  }
  return Object.fromEntries([...seen].map(([key, list]) => [key, [...list]]));
}

const inOrder = (count: number) => Object.fromEntries(keys.map((key) => [key, numbers(count)]));

test('a broker whose every answer takes longer than the lease costs no lease, no event and no order', async () => {
  await relay.start();
  await write(1, 1);
  await published();
  proxy.delay(leaseMs * 0.7);
  await write(2, 60);
  await published();
  proxy.delay(0);
  expect(await firstCopies()).toEqual(inOrder(60));
  expect(log.lines().filter((line) => line.includes('another relay has taken'))).toEqual([]);
});

test('a leader that moves away again and again costs no event and no order', async () => {
  const reallyAppend = Reflect.get<PartitionLog, 'append'>(PartitionLog.prototype, 'append');
  let refusals = 0;
  await relay.start();
  await write(1, 1);
  await published();
  // Of three partitions of one request some may be taken and others refused.
  jest.spyOn(PartitionLog.prototype, 'append').mockImplementation(function answer(
    this: PartitionLog,
    ...args: Parameters<PartitionLog['append']>
  ) {
    if (refusals < 25 && Math.random() < 0.6) {
      refusals += 1;
      throw new ProtocolError(notLeader, 'the leader is another one');
    }
    return reallyAppend.apply(this, args);
  });
  for (let from = 2; from < 62; from += 20) {
    await write(from, from + 19);
    await published();
  }
  expect(refusals).toBeGreaterThan(0);
  expect(await firstCopies()).toEqual(inOrder(61));
  const { rows } = await pool.query('SELECT FROM signalbox.parked_event');
  expect(rows).toEqual([]);
});

test('stop before start, a second stop and a second start are harmless', async () => {
  await relay.stop();
  await relay.start();
  await relay.start();
  await write(1, 5);
  await published();
  await Promise.all([relay.stop(), relay.stop()]);
  await relay.stop();
  const { rows } = await pool.query('SELECT FROM signalbox.lane WHERE owner IS NOT NULL');
  expect(rows).toEqual([]);
  await relay.start();
  await write(6, 10);
  await published();
  expect(await firstCopies()).toEqual(inOrder(10));
});
