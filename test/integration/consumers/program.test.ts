import { Partitioners, type Producer } from 'kafkajs';
import { findFreePort } from '../../../dev/postgres/ports';
import { catalogue } from '../../../src/healthcore/catalogue';
import { consumers } from '../../../src/healthcore/consumers/registry';
import { deadLetterTopic, topicOf } from '../../../src/kafka/topics/topicNames';
import { createPool } from '../../../src/shared/database';
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated, patientMarker } from '../../support/events';
import {
  createTopics,
  deleteTopics,
  kafkaBrokers,
  readAll,
  testKafka,
  uniqueName,
} from '../../support/kafka';
import { silentLogger } from '../../support/logger';
import { killPrograms, type RunningProgram, spawnSignalbox } from '../../support/process';
import { waitFor, within } from '../../support/waitFor';

let database: TestDatabase;
let pool: Pool;
let producer: Producer;
let prefix: string;
let port: number;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({
    databaseUrl: database.url,
    poolSize: 1,
    applicationName: 'test',
    logger: silentLogger(),
  });
  producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  prefix = uniqueName('program').replaceAll('.', '-');
  await createTopics(...topics().map((topic) => ({ topic })));
});

beforeEach(async () => {
  port = await findFreePort();
});

afterEach(killPrograms);

afterAll(async () => {
  await producer.disconnect();
  await deleteTopics(...topics());
  await pool.end();
  await database.assertNoLeaks();
  await database.drop();
});

const topics = (): string[] => [
  ...catalogue.eventTypes.map((type) => topicOf(prefix, type)),
  deadLetterTopic(prefix),
];

async function start(env: Record<string, string> = {}, ...args: string[]): Promise<RunningProgram> {
  return spawnSignalbox('consumers', {
    args,
    env: {
      DATABASE_URL: database.url,
      KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
      KAFKA_TOPIC_PREFIX: prefix,
      CONSUMER_GROUP_PREFIX: prefix,
      CONSUMERS_PORT: String(port),
      HOST: '127.0.0.1',
      ...env,
    },
  });
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Nothing while the program does not listen yet. */
async function get(path: string): Promise<Answer | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    return { status: response.status, text: await response.text() };
  } catch (error) {
    // Jest's realm has a TypeError of its own.
    if ((error as Error).name === 'TypeError') return undefined;
    throw error;
  }
}

const untilReady = (): Promise<unknown> =>
  waitFor(async () => (await get('/readyz'))?.status === 200, {
    what: 'the program to be ready',
    deadlineMs: 90_000,
  });

test('runs the consumers, says when it is ready, counts what they do, and ends with 0 after SIGTERM', async () => {
  const program = await start();
  await untilReady();
  const event = patientCreated();
  await producer.send({
    topic: topicOf(prefix, 'patient.created'),
    messages: [
      { key: 'k', value: JSON.stringify(event) },
      { key: 'k', value: JSON.stringify(event) },
      { key: 'k', value: `{"${patientMarker}` },
    ],
  });
  const entries = (): Promise<{ rowCount: number | null }> =>
    pool.query('SELECT 1 FROM audit_log WHERE event_id = $1', [event.event_id]);
  await waitFor(async () => (await entries()).rowCount === 1, { what: 'the audit entry' });
  const metrics = await waitFor(
    async () => {
      const { text } = (await get('/metrics')) ?? { text: '' };
      return text.includes('outcome="dead_letter"') && text.includes('signalbox_consumer_lag{') && text;
    },
    { what: 'the whole batch to be counted' },
  );
  const labels = 'consumer="audit-log",event_type="patient.created"';
  expect(metrics).toContain(
    `signalbox_consumer_events_total{${labels},outcome="processed",program="consumers"} 1`,
  );
  expect(metrics).toContain(
    `signalbox_consumer_events_total{${labels},outcome="duplicate",program="consumers"} 1`,
  );
  expect(metrics).toContain(`signalbox_consumer_lag{consumer="audit-log",topic="${prefix}.patient.created"`);
  expect(metrics).not.toContain(patientMarker);
  const letters = await waitFor(
    async () => {
      const written = await readAll(deadLetterTopic(prefix));
      return written.length >= 2 && written;
    },
    { what: 'a dead letter of each consumer that reads the topic' },
  );
  expect(new Set(letters.map(({ headers }) => headers['dlq.consumer.group']))).toEqual(
    new Set([`${prefix}.appointment-reminders`, `${prefix}.audit-log`]),
  );
  const ending = within(program.kill('SIGTERM'), { deadlineMs: 10_000, what: 'the program to stop' });
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(program.output()).not.toContain(patientMarker);
});

test('creates the topics that it would have to wait for, unless it is told not to', async () => {
  const missing = uniqueName('creates').replaceAll('.', '-');
  const patient = await start({ KAFKA_TOPIC_PREFIX: missing, KAFKA_CREATE_TOPICS: 'false' });
  await patient.waitForLine('waiting for topics');
  expect(await patient.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const program = await start({ KAFKA_TOPIC_PREFIX: missing });
  await untilReady();
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await deleteTopics(...catalogue.eventTypes.map((type) => topicOf(missing, type)), deadLetterTopic(missing));
});

test('starts while Kafka is away, stays alive and says that it is not ready', async () => {
  const program = await start({ KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' });
  await program.waitForLine('Kafka cannot be used: 127.0.0.1:1: refuses the connection');
  expect((await get('/livez'))?.status).toBe(200);
  const answer = await get('/readyz');
  expect(answer?.status).toBe(503);
  expect(JSON.parse(answer?.text ?? '')).toMatchObject({ checks: { 'audit-log: kafka': { ok: false } } });
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('starts while the database is away and says that it is not ready', async () => {
  const program = await start({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none' });
  await program.waitForLine('joined the group');
  const answer = await waitFor(() => get('/readyz'), { what: 'an answer' });
  expect(JSON.parse(answer.text)).toMatchObject({ ready: false, checks: { database: { ok: false } } });
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('with Kafka disabled says so, idles with its ops server up, and needs no broker', async () => {
  const program = await start({ KAFKA_ENABLED: 'false', KAFKA_BOOTSTRAP_SERVERS: '' });
  await program.waitForLine('nothing is consumed');
  await untilReady();
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('ends with one line about a consumer that it does not have, and lists those it has on request', async () => {
  const unknown = await start({}, 'audit');
  expect(await unknown.exited).toEqual({ code: 1, signal: null });
  expect(unknown.output()).toContain('There is no consumer \\"audit\\". There are: audit-log');
  const help = await start({}, '--help');
  expect(await help.exited).toEqual({ code: 0, signal: null });
  for (const { name, summary } of consumers) expect(help.output()).toMatch(new RegExp(`${name} +${summary}`));
});

test('runs those consumers that are named, and no other', async () => {
  const program = await start({}, 'email-sender', 'audit-log');
  await untilReady();
  const { checks } = JSON.parse((await get('/readyz'))?.text ?? '') as { checks: object };
  const running = Object.keys(checks).filter((name) => name.endsWith(': kafka'));
  expect(running.sort()).toEqual(['audit-log: kafka', 'email-sender: kafka']);
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('ends with one line about a configuration that a consumer cannot work with', async () => {
  const program = await start({ SMTP_URL: 'smtp://user:secret@127.0.0.1:25', REMINDER_TIME_ZONE: 'UTC' });
  expect(await program.exited).toEqual({ code: 1, signal: null });
  expect(program.output()).toContain('set SMTP_FROM to the sender');
  const wrong = await start({ SMTP_URL: 'http://user:secret@host', REMINDER_TIME_ZONE: 'Mars/Olympus' });
  expect(await wrong.exited).toEqual({ code: 1, signal: null });
  expect(wrong.output()).toContain('SMTP_URL: expected smtp://');
  expect(wrong.output()).toContain('REMINDER_TIME_ZONE=\\"Mars/Olympus\\": expected the name of a time zone');
  expect(wrong.output()).not.toContain('secret');
});
