/** Consumers on a broker that refuses single topics, or one of their groups. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import type { Refusals } from '../../../dev/broker/apis/api';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { findFreePort } from '../../../dev/postgres/ports';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import type { TopicTrouble } from '../../../src/kafka/topics/topicTrouble';
import { withAdmin } from '../../../src/kafka/withAdmin';
import { createTestDatabase } from '../../support/database';
import { uniqueName } from '../../support/kafka';
import { captureLogger, type CapturedLog, silentLogger } from '../../support/logger';
import { killPrograms, spawnSignalbox } from '../../support/process';
import { waitFor } from '../../support/waitFor';

let directory: string;
let broker: DevBroker;
let refusals: Refusals;
let kafka: Kafka;
let log: CapturedLog;
let consumers: GroupConsumer[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-topics-'));
  refusals = () => undefined;
  broker = await startDevBroker({
    port: 0,
    dataDir: directory,
    logger: silentLogger(),
    refusals: (operation, name) => refusals(operation, name),
  });
  kafka = new Kafka({ brokers: [broker.address], logLevel: logLevel.NOTHING });
  log = captureLogger();
  consumers = [];
  await administer((admin) => admin.createTopics({ topics: [{ topic: 'good' }, { topic: 'bad' }] }));
});

afterEach(async () => {
  await Promise.all(consumers.map((consumer) => consumer.stop()));
  await killPrograms();
  await broker.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

const administer = (use: (admin: Admin) => Promise<unknown>): Promise<unknown> =>
  withAdmin(kafka, (admin) => use(admin as Admin));

async function send(topic: string, value: string): Promise<void> {
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, messages: [{ value }] });
  await producer.disconnect();
}

interface Reading {
  readonly consumer: GroupConsumer;
  readonly seen: string[];
  /** Topics that could not be read, as last reported. */
  readonly troubles: () => readonly TopicTrouble[];
}

async function start(): Promise<Reading> {
  const seen: string[] = [];
  let troubles: readonly TopicTrouble[] = [];
  const consumer = new GroupConsumer({
    kafka: createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: [broker.address], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      silentLogger(),
    ),
    group: uniqueName('group'),
    topics: ['bad', 'good'],
    handle: async ({ value }) => {
      seen.push(String(value));
      return { kind: 'done' };
    },
    logger: log.logger,
    account: 'reader',
    onTopicTroubles: (found) => (troubles = found),
    fromBeginning: true,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 4,
    retryMaxMs: 300,
  });
  consumers.push(consumer);
  await consumer.start();
  return { consumer, seen, troubles: () => troubles };
}

const until = (seen: readonly string[], value: string): Promise<unknown> =>
  waitFor(() => seen.includes(value), { what: () => `${value}:\n${log.lines().slice(-15).join('\n')}` });

describe.each([
  ['Describe', 'TOPIC_AUTHORIZATION_FAILED', 'refused'],
  ['Read', 'TOPIC_AUTHORIZATION_FAILED', 'refused'],
  ['Describe', 'LEADER_NOT_AVAILABLE', 'unavailable'],
] as const)('a topic of which %s is answered with %s', (operation, error, state) => {
  const bad: Refusals = (asked, name) => (asked === operation && name === 'bad' ? error : undefined);

  test('keeps the consumer from no other topic, and is read from its beginning when that is over', async () => {
    refusals = bad;
    await send('good', 'g1');
    const { consumer, seen, troubles } = await start();
    await until(seen, 'g1');
    await waitFor(() => troubles().length === 1, { what: 'the trouble to be noticed' });
    expect(troubles()[0]).toMatchObject({ topic: 'bad', state, operation, type: error });
    expect(consumer.topicTroubles()[0]).toContain(error);
    if (state === 'refused') expect(consumer.topicTroubles()[0]).toContain('account "reader"');
    await waitFor(() => consumer.status().state === 'running', { what: 'the consumer to run' });
    await send('good', 'g2');
    await until(seen, 'g2');
    refusals = () => undefined;
    await send('bad', 'b1');
    await until(seen, 'b1');
    await send('good', 'g3');
    await until(seen, 'g3');
    expect(consumer.topicTroubles()).toEqual([]);
    expect(log.lines().filter((line) => line.includes('waiting for topics'))).toHaveLength(1);
    expect([...seen].sort()).toEqual(['b1', 'g1', 'g2', 'g3']);
  });

  test('is left alone when that begins while it is read', async () => {
    const { consumer, seen, troubles } = await start();
    await send('bad', 'b1');
    await until(seen, 'b1');
    refusals = bad;
    if (operation === 'Read')
      await waitFor(() => troubles().length === 1, { what: 'the trouble to be noticed' });
    await send('good', 'g1');
    await until(seen, 'g1');
    refusals = () => undefined;
    await send('bad', 'b2');
    await until(seen, 'b2');
    await waitFor(() => consumer.topicTroubles().length === 0, { what: 'the trouble to be over' });
    expect(seen.filter((value) => value === 'g1')).toEqual(['g1']);
  });
});

test('a missing topic keeps the consumer from no other one; also when it goes missing while it is read', async () => {
  await administer((admin) => admin.deleteTopics({ topics: ['bad'] }));
  const { seen, consumer } = await start();
  await send('good', 'g1');
  await until(seen, 'g1');
  expect(consumer.topicTroubles()).toEqual(['Kafka has no topic "bad".']);
  await administer((admin) => admin.createTopics({ topics: [{ topic: 'bad' }] }));
  await send('bad', 'b1');
  await until(seen, 'b1');
  await administer((admin) => admin.deleteTopics({ topics: ['bad'] }));
  await waitFor(() => consumer.topicTroubles().length === 1, {
    what: 'the loss to be noticed',
    deadlineMs: 50_000,
  });
  await send('good', 'g2');
  await until(seen, 'g2');
});

test("a foreign topic without a leader is nobody's trouble", async () => {
  await administer((admin) => admin.createTopics({ topics: [{ topic: 'foreign' }] }));
  await send('good', 'g1');
  refusals = (asked, name) =>
    asked === 'Describe' && name === 'foreign' ? 'LEADER_NOT_AVAILABLE' : undefined;
  const { seen, consumer } = await start();
  await until(seen, 'g1');
  expect(consumer.topicTroubles()).toEqual([]);
  expect(log.lines().join()).not.toContain('trying again');
});

test('a consumer whose group is refused ends by itself: the others go on, and the program is not ready', async () => {
  const database = await createTestDatabase();
  const port = await findFreePort();
  refusals = (asked, name) =>
    asked === 'Join' && name.endsWith('.audit-log') ? 'GROUP_AUTHORIZATION_FAILED' : undefined;
  const env = {
    DATABASE_URL: database.url,
    KAFKA_BOOTSTRAP_SERVERS: broker.address,
    CONSUMERS_PORT: String(port),
    HOST: '127.0.0.1',
  };
  const program = await spawnSignalbox('consumers', { env });
  await program.waitForLine('audit-log has ended');
  const check = async (): Promise<Record<string, { ok: boolean; detail?: string }>> => {
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    expect(response.status).toBe(503);
    return ((await response.json()) as { checks: Record<string, { ok: boolean; detail?: string }> }).checks;
  };
  const checks = await waitFor(
    async () => {
      const found = await check();
      return found['email-sender: kafka']?.ok && found['appointment-reminders: kafka']?.ok
        ? found
        : undefined;
    },
    { what: () => `the other consumers to run:\n${program.output()}` },
  );
  expect(checks['audit-log: kafka']).toMatchObject({ ok: false });
  expect(checks['audit-log: kafka']?.detail).toContain('GROUP_AUTHORIZATION_FAILED');
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  refusals = (asked) => (asked === 'Join' ? 'GROUP_AUTHORIZATION_FAILED' : undefined);
  const refused = await spawnSignalbox('consumers', { env });
  expect(await refused.exited).toEqual({ code: 1, signal: null });
  await database.drop();
  // Two programs are started, one after the other.
}, 180_000);
