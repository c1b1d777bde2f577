import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import type { Pool } from 'pg';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { catalogue } from '../../../src/healthcore/catalogue';
import { parseEnvelope } from '../../../src/events/envelope';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics } from '../../../src/relay/metrics';
import { Relay } from '../../../src/relay/relay';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { readBacklog } from '../../../src/outbox/log/backlog';
import { startDevBroker } from '../../../dev/broker/broker';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import {
  deleteTopics,
  kafkaBrokers,
  readAll,
  type ReceivedMessage,
  uniqueName,
  withAdmin,
} from '../../support/kafka';
import { captureLogger, type CapturedLog, silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { append, poolOf } from './harness';

let database: TestDatabase;
let pool: Pool;
let prefix: string;
let log: CapturedLog;
const cleanUps: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 8);
  prefix = uniqueName('relay').replaceAll('.', '-');
  log = captureLogger();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  await pool.end();
  await database.drop();
  await deleteTopics(...declaredTopics(catalogue, prefix));
});

interface Started {
  relay: Relay;
  publisher: KafkaPublisher;
}

async function startRelay(
  options: { brokers?: string[]; createTopics?: boolean; maxMessageBytes?: number } = {},
): Promise<Started> {
  const metrics = createRelayMetrics(new Registry());
  const id = crypto.randomUUID();
  const leaseMs = 2_000;
  const leases = new LaneLeases({
    database: pool,
    identity: { id, instance: id },
    leaseMs,
    policy: 'wait',
    logger: log.logger,
    metrics,
  });
  const kafka = createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: options.brokers ?? kafkaBrokers(), KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
    log.logger,
  );
  const topics = {
    KAFKA_TOPIC_PREFIX: prefix,
    KAFKA_TOPIC_PARTITIONS: 3,
    KAFKA_REPLICATION_FACTOR: 1,
    KAFKA_TOPIC_RETENTION_MS: 3_600_000,
    KAFKA_CREATE_TOPICS: options.createTopics ?? true,
  };
  const publisher = new KafkaPublisher({ catalogue, kafka, topics, compression: 'none', logger: log.logger });
  const maxMessageBytes = options.maxMessageBytes ?? 1_000_000;
  const relay = new Relay({
    database: pool,
    publisher,
    leases,
    leaseMs,
    pageSize: 100,
    pollIntervalMs: 50,
    retryMaxMs: 500,
    publishing: { catalogue, topicPrefix: prefix, maxMessageBytes, policy: 'wait' },
    logger: log.logger,
    metrics,
  });
  await relay.start();
  cleanUps.push(() => relay.stop());
  return { relay, publisher };
}

const topic = (eventType: string): string => `${prefix}.${eventType}`;

async function published(eventType: string, count: number): Promise<{ key: string | null; n: number }[]> {
  const messages = await waitFor(
    async () => {
      const all = await readAll(topic(eventType)).catch(() => []);
      return all.length >= count ? all : undefined;
    },
    {
      what: `${count} messages in ${topic(eventType)}:\n${log.lines().slice(-20).join('\n')}`,
      deadlineMs: 40_000,
    },
  );
  return asNumbers(messages);
}

function asNumbers(messages: ReceivedMessage[]): { key: string | null; n: number }[] {
  return messages.map(({ key, value }) => ({
    key,
    n: (JSON.parse(value ?? '') as { data: { n: number } }).data.n,
  }));
}

function numbersOf(messages: { key: string | null; n: number }[], key: string): number[] {
  return messages.filter((message) => message.key === key).map(({ n }) => n);
}

test('an event arrives as the catalogue describes it, with every digit and every header', async () => {
  const id = crypto.randomUUID();
  const data = `{"patient_id": "${id}", "name": "Ä\\"", "email": "a@example.com", "phone": null, "big": 12345678901234567890.10}`;
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, correlation_id,
       causation_id, actor, traceparent, data)
     VALUES (signalbox.lane_of($1), 'patient.created', '1.0', 'patient', $1, 'test', 'c"1', 'k1', 'a1', '00-trace-01', $2)`,
    [id, data],
  );
  await startRelay();
  await published('patient.created', 1);
  const [message] = await readAll(topic('patient.created'));
  const { rows } = await pool.query<{ event_id: string; position: string; occurred_at: Date }>(
    'SELECT event_id, position, occurred_at FROM signalbox.outbox',
  );
  const [row] = rows;
  expect(message?.value).toContain(`"data":${data},`);
  expect(parseEnvelope(catalogue, message?.value ?? '')).toMatchObject({
    ok: true,
    event: {
      event_id: row?.event_id,
      timestamp: row?.occurred_at.toISOString(),
      metadata: {
        sequence: row?.position,
        correlation_id: 'c"1',
        causation_id: 'k1',
        actor: 'a1',
        source: 'test',
      },
    },
  });
  expect(message?.key).toBe(id);
  expect(message?.headers).toEqual({
    event_id: row?.event_id,
    event_type: 'patient.created',
    event_version: '1.0',
    aggregate_type: 'patient',
    aggregate_id: id,
    correlation_id: 'c"1',
    traceparent: '00-trace-01',
    'content-type': 'application/json',
  });
});

test('a broker that goes away and comes back loses nothing and keeps the order of each aggregate', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'signalbox-broker-'));
  cleanUps.push(() => rm(dataDir, { recursive: true, force: true }));
  const first = await startDevBroker({ port: 0, dataDir, logger: silentLogger() });
  cleanUps.push(() => first.stop());
  const { publisher } = await startRelay({ brokers: [first.address] });
  for (let n = 1; n <= 20; n += 1) for (const key of ['a', 'b']) await append(pool, key, n);
  await waitFor(async () => (await backlog()) === 0, { what: 'the first events to be published' });
  await first.stop();
  for (let n = 21; n <= 60; n += 1) for (const key of ['a', 'b']) await append(pool, key, n);
  await waitFor(() => !publisher.connected, { what: 'the relay to notice the outage' });
  const second = await startDevBroker({ port: first.port, dataDir, logger: silentLogger() });
  cleanUps.push(() => second.stop());
  await waitFor(async () => (await backlog()) === 0, { what: 'the other events to be published' });
  const messages = await readAllOf(second.address, topic('patient.updated'));
  for (const key of ['a', 'b']) {
    expect([...new Set(numbersOf(messages, key))]).toEqual(
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
  }
});

async function backlog(): Promise<number> {
  return (await readBacklog(pool)).rows;
}

/** Reads a topic of a broker that is not the test run's. */
async function readAllOf(broker: string, name: string): Promise<{ key: string | null; n: number }[]> {
  const before = process.env['KAFKA_BOOTSTRAP_SERVERS'];
  process.env['KAFKA_BOOTSTRAP_SERVERS'] = broker;
  try {
    return asNumbers(await readAll(name));
  } finally {
    process.env['KAFKA_BOOTSTRAP_SERVERS'] = before;
  }
}

test('events of a missing topic are held back, alone, and go out in order when it is there', async () => {
  await withAdmin(async (admin) => {
    await admin.createTopics({
      topics: declaredTopics(catalogue, prefix)
        .filter((name) => name !== topic('patient.deleted'))
        .map((name) => ({ topic: name, numPartitions: 1 })),
    });
  });
  await append(pool, 'a', 1);
  await append(pool, 'a', 2, { eventType: 'patient.deleted' });
  await append(pool, 'a', 3);
  await append(pool, 'b', 1);
  const { publisher } = await startRelay({ createTopics: false });
  const first = await published('patient.updated', 2);
  expect(first.map(({ key, n }) => `${key}:${n}`).sort()).toEqual(['a:1', 'b:1']);
  expect([...publisher.topicTroubles.keys()]).toEqual([topic('patient.deleted')]);
  await withAdmin((admin) =>
    admin.createTopics({ topics: [{ topic: topic('patient.deleted'), numPartitions: 1 }] }),
  );
  expect(await published('patient.deleted', 1)).toEqual([{ key: 'a', n: 2 }]);
  expect(numbersOf(await published('patient.updated', 3), 'a')).toEqual([1, 3]);
});

test('a message that the broker finds too large is parked, and the other 49 of its page are published', async () => {
  await withAdmin((admin) =>
    admin.createTopics({
      topics: [
        {
          topic: topic('patient.updated'),
          numPartitions: 1,
          configEntries: [{ name: 'max.message.bytes', value: '60000' }],
        },
      ],
    }),
  );
  for (let n = 1; n <= 50; n += 1) await append(pool, `a${n}`, n, n === 23 ? { padding: 70_000 } : {});
  await startRelay();
  const messages = await published('patient.updated', 49);
  expect(new Set(messages.map(({ n }) => n)).size).toBe(49);
  await waitFor(async () => (await parked()).length === 1, { what: 'the large event to be parked' });
  expect(await parked()).toEqual([{ aggregate_id: 'a23', state: 'parked', reason: 'too_large' }]);
});

async function parked(): Promise<unknown[]> {
  const { rows } = await pool.query(
    'SELECT aggregate_id, state, reason FROM signalbox.parked_event ORDER BY position',
  );
  return rows;
}
