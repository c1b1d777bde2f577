import { createServer, type Server } from 'node:net';
import type { Pool } from 'pg';
import { findFreePort } from '../../../dev/postgres/ports';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { deadLetterTopic } from '../../../src/kafka/topics/topicNames';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated } from '../../support/events';
import { createTopics, deleteTopics, testKafka, uniqueName, withAdmin } from '../../support/kafka';
import { waitFor } from '../../support/waitFor';
import { append, poolOf, steppedRelay } from '../relay/harness';
import { createdTopic, giveUp, kafkaEnv, newPrefix, ops } from './support';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let pool: Pool;
let prefix: string;
let env: Record<string, string>;
const servers: Server[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
  prefix = newPrefix();
  env = { ...kafkaEnv(prefix), DATABASE_URL: database.url, KAFKA_TOPIC_PARTITIONS: '1' };
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await pool.end();
  await database.drop();
  await deleteTopics(...declaredTopics(catalogue, prefix));
});

interface Finding {
  check: string;
  status: string;
  detail: string;
  remedy?: string;
}
interface Diagnosis {
  code: number | null;
  findings: Finding[];
  of: (check: string) => Finding[];
}

async function diagnose(more: Record<string, string> = {}, ...args: string[]): Promise<Diagnosis> {
  const result = await ops({ ...env, ...more }, 'doctor', '--json', ...args);
  const { findings, healthy } = result.json() as { findings: Finding[]; healthy: boolean };
  expect(healthy).toBe(result.code === 0);
  return { code: result.code, findings, of: (check) => findings.filter((one) => one.check === check) };
}

const createDeclared = () =>
  createTopics(...declaredTopics(catalogue, prefix).map((topic) => ({ topic, partitions: 1 })));

async function withConsumer<T>(work: () => Promise<T>): Promise<T> {
  const groupId = `${prefix}.audit-log`;
  const consumer = testKafka().consumer({ groupId, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: createdTopic(prefix) });
  await consumer.run({ eachMessage: async () => undefined });
  try {
    const state = () => withAdmin(async (admin) => (await admin.describeGroups([groupId])).groups[0]?.state);
    await waitFor(async () => (await state()) === 'Stable', { what: 'a stable group' });
    return await work();
  } finally {
    await consumer.disconnect();
  }
}

/** A server that takes connections and never says a word. */
async function silentServer(): Promise<number> {
  const port = await findFreePort();
  const server = createServer((socket) => socket.on('error', () => undefined));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return port;
}

it('finds a system well that is, and says so with exit code 0', async () => {
  await createDeclared();
  await steppedRelay(pool, { instance: 'relay-a' }).leases.renew();
  const diagnosis = await withConsumer(() => diagnose({}, '--strict'));
  expect(diagnosis.findings.filter(({ status }) => status !== 'ok')).toEqual([]);
  expect(diagnosis.code).toBe(0);
  expect(diagnosis.of('relays')[0]?.detail).toContain('relay-a');
  expect(JSON.stringify(diagnosis.findings)).not.toContain(new URL(database.url).password || 'no password');
});

it('finds what is wrong in the database, and says what to do', async () => {
  await createDeclared();
  await pool.query('UPDATE signalbox.cluster SET system_identifier = 1');
  await pool.query('ALTER TABLE "patients" DISABLE TRIGGER USER');
  await pool.query(
    `UPDATE _prisma_migrations SET migration_name = 'gone' WHERE migration_name LIKE '%reminders'`,
  );
  await append(pool, 'one', 1);
  await pool.query(`UPDATE signalbox.outbox SET occurred_at = now() - interval '1 hour'`);
  const diagnosis = await diagnose({ OUTBOX_CAPTURE: 'trigger' });
  expect(diagnosis.code).toBe(1);
  expect(diagnosis.of('cursors')).toMatchObject([
    { status: 'fail', remedy: expect.stringContaining('outbox repair') },
  ]);
  expect(diagnosis.of('triggers')[0]).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('is switched off'),
    remedy: expect.stringContaining('npx signalbox sync --repair'),
  });
  expect(diagnosis.of('migrations')).toMatchObject([
    {
      status: 'fail',
      detail: expect.stringContaining('reminders'),
      remedy: 'Run "npx signalbox migrate".',
    },
  ]);
  expect(diagnosis.of('relays')).toMatchObject([{ status: 'fail' }]);
  expect(diagnosis.of('outbox')).toMatchObject([
    { status: 'warn', detail: '1 event waits, the oldest for 60 min' },
  ]);
});

it('finds what is wrong in Kafka, and says what to do', async () => {
  await createTopics({ topic: createdTopic(prefix) }, { topic: deadLetterTopic(prefix) });
  await giveUp(prefix, `${prefix}.audit-log`, [patientCreated(), patientCreated()]);
  const producer = testKafka().producer();
  await producer.connect();
  await producer.send({ topic: createdTopic(prefix), messages: [{ value: 'one' }] });
  await producer.disconnect();
  await withAdmin((admin) =>
    admin.setOffsets({
      groupId: `${prefix}.audit-log`,
      topic: createdTopic(prefix),
      partitions: [{ partition: 0, offset: '0' }],
    }),
  );
  const diagnosis = await diagnose({ KAFKA_REPLICATION_FACTOR: '9' });
  expect(diagnosis.code).toBe(1);
  expect(diagnosis.of('kafka')).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('KAFKA_REPLICATION_FACTOR is 9') },
  ]);
  expect(diagnosis.of('topics')).toContainEqual(
    expect.objectContaining({
      status: 'fail',
      detail: expect.stringMatching(/^\S+ is missing \(and so for \d+ more topics\)$/) as unknown,
    }),
  );
  expect(diagnosis.of('dead letters')).toMatchObject([
    { status: 'warn', detail: '2 dead letters to be dealt with' },
  ]);
  expect(diagnosis.of('consumers')).toMatchObject([
    { status: 'fail', detail: `${prefix}.audit-log has no member and a lag of 1` },
  ]);
  expect((await ops(env, 'dlq', 'discard', '--all', '--execute')).code).toBe(0);
  expect((await diagnose()).of('dead letters')).toMatchObject([{ status: 'ok' }]);
});

it('reports every problem of the configuration, and a variable that is misspelt', async () => {
  const diagnosis = await diagnose({ PORT: 'eighty', KAFKA_TOPIC_PREFX: 'x', KAFKA_ENABLED: 'false' });
  expect(diagnosis.code).toBe(1);
  expect(diagnosis.of('configuration')).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('PORT="eighty"') },
    { status: 'warn', detail: expect.stringContaining('KAFKA_TOPIC_PREFX') },
  ]);
  expect(diagnosis.of('kafka')).toMatchObject([{ status: 'warn' }]);
});

it('says that servers are down, and looks at the other one all the same', async () => {
  await createDeclared();
  const withoutDatabase = await diagnose({ DATABASE_URL: 'postgresql://u:secret@127.0.0.1:1/healthcore' });
  expect(withoutDatabase.of('database')).toMatchObject([
    { status: 'fail', detail: '127.0.0.1:1/healthcore cannot be used (ECONNREFUSED)' },
  ]);
  expect(withoutDatabase.of('topics')).toMatchObject([{ status: 'ok' }]);
  expect(JSON.stringify(withoutDatabase.findings)).not.toContain('secret');
  const withoutKafka = await diagnose({ KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' });
  expect(withoutKafka.code).toBe(1);
  expect(withoutKafka.of('kafka')).toMatchObject([
    {
      status: 'fail',
      detail:
        'No Kafka broker answers at 127.0.0.1:1 (127.0.0.1:1: refuses the connection). Start it, or set KAFKA_BOOTSTRAP_SERVERS.',
    },
  ]);
  expect(withoutKafka.of('migrations')).toMatchObject([{ status: 'ok' }]);
});

it('ends when servers take connections and never answer', async () => {
  const mute = await silentServer();
  const diagnosis = await diagnose({
    DATABASE_URL: `postgresql://u@127.0.0.1:${mute}/healthcore`,
    KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${mute}`,
  });
  expect(diagnosis.code).toBe(1);
  expect(diagnosis.findings.map(({ check, status }) => [check, status])).toEqual([
    ['configuration', 'ok'],
    ['database', 'fail'],
    ['kafka', 'fail'],
  ]);
});

it('looks at a database without any of our tables', async () => {
  const empty = await createEmptyDatabase();
  const diagnosis = await diagnose({ DATABASE_URL: empty.url, KAFKA_TOPIC_PREFIX: uniqueName('none') });
  expect(diagnosis.of('migrations')).toMatchObject([{ status: 'fail' }]);
  expect(diagnosis.of('outbox')).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('42P01') },
  ]);
  await empty.drop();
});
