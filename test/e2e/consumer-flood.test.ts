/**
 * The consumers' program under what nobody hopes for: thousands of messages that are no events, and a topic far deeper
 * than its memory. CONSUMER_GARBAGE=10000 makes the first as long as you like.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { type Message, Partitioners, type Producer } from 'kafkajs';
import { Client } from 'pg';
import { deadLetterTopic, topicOf } from '../../src/kafka/topics/topicNames';
import { declaredTopics } from '../../src/kafka/topics/declaredTopics';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { patientCreated, patientMarker } from '../support/events';
import { effort } from '../support/effort';
import {
  createTopics,
  deleteTopics,
  kafkaBrokers,
  readAll,
  type ReceivedMessage,
  testKafka,
  uniqueName,
} from '../support/kafka';
import { killPrograms } from '../support/process';
import { waitFor } from '../support/waitFor';
import { type Part, startPart, waitUntilReady } from './support/system';
import { catalogue } from '../../src/healthcore/catalogue';

const garbage = Number(process.env['CONSUMER_GARBAGE'] ?? effort(600, 1_500));
const megabyte = 1024 * 1024;

let database: TestDatabase;
let sql: Client;
let producer: Producer;
let topicPrefix: string;
const prefixes: string[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new Client({ connectionString: database.url });
  await sql.connect();
  producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
});

beforeEach(async () => {
  await sql.query('TRUNCATE audit_log, signalbox.inbox');
  topicPrefix = uniqueName('flood').replaceAll('.', '-');
  prefixes.push(topicPrefix);
  await createTopics(...declaredTopics(catalogue, topicPrefix).map((topic) => ({ topic, partitions: 3 })));
});

afterEach(killPrograms);

afterAll(async () => {
  await producer.disconnect();
  await sql.end();
  await database.drop();
  await deleteTopics(...prefixes.flatMap((prefix) => declaredTopics(catalogue, prefix)));
});

async function startConsumers(): Promise<Part> {
  const part = await startPart('consumers', 'CONSUMERS_PORT', {
    args: ['audit-log'],
    databaseUrl: database.url,
    brokers: kafkaBrokers().join(','),
    topicPrefix,
  });
  await waitUntilReady(part);
  return part;
}

/** On a connection of its own: one that was idle may be closed at the moment it is used again. */
const get = ({ url }: Part, path: string): Promise<Response> =>
  fetch(`${url}${path}`, { headers: { connection: 'close' } });

async function metricOf(part: Part, pattern: RegExp): Promise<number> {
  const text = await (await get(part, '/metrics')).text();
  return [...text.matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
}

const memoryOf = (part: Part): Promise<number> =>
  metricOf(part, /^process_resident_memory_bytes\{.*\} (\d+)/gm);

async function auditEntries(): Promise<number> {
  const { rows } = await sql.query<{ count: number }>('SELECT count(*)::int AS count FROM audit_log');
  return rows[0]?.count ?? 0;
}

async function sendAll(messages: readonly Message[]): Promise<void> {
  for (let from = 0; from < messages.length; from += 20) {
    await producer.send({
      topic: topicOf(topicPrefix, 'patient.created'),
      acks: -1,
      messages: messages.slice(from, from + 20),
    });
  }
}

interface Garbage {
  readonly value: Buffer | string | null;
  /** What the dead letter must give as the reason. */
  readonly reason: RegExp;
}

/** One of each kind in turn; every one of them names the patient where it can. */
const kinds: readonly (() => Garbage)[] = [
  () => ({
    value: Buffer.concat([Buffer.from([0xff]), randomBytes(200)]),
    reason: /^the value is not UTF-8$/,
  }),
  () => ({ value: `{"event_id": "${randomUUID()}", "name": "${patientMarker}`, reason: /not JSON$/ }),
  () => ({ value: null, reason: /^the message has no value$/ }),
  () => ({ value: `"${patientMarker.repeat(5_000)}"`, reason: /^value: invalid_type$/ }),
  () => ({
    value: JSON.stringify({ ...patientCreated(), event_type: 'patient.abducted' }),
    reason: /^event_type: not in the catalogue$/,
  }),
  () => ({
    value: JSON.stringify({ ...patientCreated(), data: { name: patientMarker } }),
    reason: /data\.patient_id: /,
  }),
  () => ({
    value: JSON.stringify({ ...patientCreated(), event_id: patientMarker }),
    reason: /^event_id: invalid_format$/,
  }),
  () => ({
    value: JSON.stringify({ ...patientCreated(), event_type: 'patient.deleted' }),
    reason: /^(event_type|data)/,
  }),
  () => ({ value: '[]', reason: /^value: invalid_type$/ }),
  () => ({ value: '{}', reason: /^event_id: / }),
];

test(`${garbage} messages that are no events all become dead letters, and the events between them are processed`, async () => {
  const part = await startConsumers();
  const made = Array.from({ length: garbage }, (_, index) => kinds[index % kinds.length]?.());
  const sent = made.filter((each) => each !== undefined);
  const good = Array.from({ length: Math.floor(garbage / 10) }, () => patientCreated());
  const messages: Message[] = sent.flatMap(({ value }, index) => [
    { key: `bad-${index}`, value },
    ...(index % 10 === 9
      ? good.slice(Math.floor(index / 10), Math.floor(index / 10) + 1).map((event) => ({
          key: event.metadata.aggregate_id,
          value: JSON.stringify(event),
        }))
      : []),
  ]);
  const first = messages.slice(0, Math.floor(messages.length / 4));
  await sendAll(first);
  const buried = (): Promise<number> =>
    metricOf(part, /^signalbox_consumer_events_total\{.*outcome="dead_letter".*\} (\d+)/gm);
  const firstBad = first.filter(({ key }) => String(key).startsWith('bad-')).length;
  await waitFor(async () => (await buried()) >= firstBad, {
    what: 'the first quarter',
    deadlineMs: 300_000,
    intervalMs: 200,
  });
  const early = await memoryOf(part);
  await sendAll(messages.slice(first.length));
  await waitFor(async () => (await buried()) >= garbage && (await auditEntries()) >= good.length, {
    what: () => `all messages:\n${part.program.output().slice(-2_000)}`,
    deadlineMs: 600_000,
    intervalMs: 200,
  });
  const late = await memoryOf(part);
  report(`resident memory after ${firstBad} dead letters ${mb(early)}, after ${garbage} ${mb(late)}`);
  expect(late - early).toBeLessThan(100 * megabyte);
  expect(await auditEntries()).toBe(good.length);
  expectDeadLetters(await readAll(deadLetterTopic(topicPrefix), 120_000), sent);
  expect((await get(part, '/readyz')).status).toBe(200);
  expect(part.program.output()).not.toContain(patientMarker);
  expect(await part.program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
}, 1_200_000);

function expectDeadLetters(letters: readonly ReceivedMessage[], sent: readonly Garbage[]): void {
  const byKey = new Map(letters.map((letter) => [letter.key, letter]));
  // No process died, so each is there once.
  expect(letters).toHaveLength(sent.length);
  const places = new Set<string>();
  for (const [index, { value, reason }] of sent.entries()) {
    const letter = byKey.get(`bad-${index}`);
    const headers = letter?.headers ?? {};
    expect(headers['dlq.error.message']).toMatch(reason);
    expect(headers).toMatchObject({
      'dlq.original.topic': topicOf(topicPrefix, 'patient.created'),
      'dlq.consumer.group': `${topicPrefix}.audit-log`,
      'dlq.attempts': '1',
      'dlq.error.class': 'InvalidMessage',
      'dlq.original.timestamp': expect.stringMatching(/^\d{13}$/),
      'dlq.failed.at': expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(Object.values(headers).join('\n')).not.toContain(patientMarker);
    expect(letter?.value).toBe(value === null ? null : value.toString());
    places.add(`${headers['dlq.original.partition']}/${headers['dlq.original.offset']}`);
  }
  expect(places.size).toBe(sent.length);
}

test('a topic that is deeper than the memory is not read ahead while handlers are slow', async () => {
  const padding = 'x'.repeat(40_000);
  const events = Array.from({ length: 3_000 }, () => {
    const event = patientCreated();
    return { ...event, data: { ...event.data, padding } };
  });
  await sendAll(events.map((event) => ({ key: event.metadata.aggregate_id, value: JSON.stringify(event) })));
  // Nobody gets past this lock: the handler in hand waits, and everything behind it.
  await sql.query('BEGIN; LOCK TABLE audit_log IN ACCESS EXCLUSIVE MODE');
  const part = await startConsumers();
  await waitFor(async () => (await waitingForLocks()) >= 1, {
    what: 'a handler to wait',
    deadlineMs: 60_000,
  });
  const early = await memoryOf(part);
  let late = early;
  const until = Date.now() + 5_000;
  // If it read on, 120 MB would be there within a second or two; looking again and again is the point here.
  await waitFor(
    async () => {
      late = Math.max(late, await memoryOf(part));
      return Date.now() > until;
    },
    { what: 'five seconds', intervalMs: 250 },
  );
  await sql.query('COMMIT');
  await waitFor(async () => (await auditEntries()) === events.length, {
    what: 'all events',
    deadlineMs: 120_000,
    intervalMs: 200,
  });
  const end = await memoryOf(part);
  report(`resident memory behind a lock ${mb(early)} to ${mb(late)}, after 120 MB of events ${mb(end)}`);
  expect(late - early).toBeLessThan(60 * megabyte);
  expect(await part.program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
}, 300_000);

async function waitingForLocks(): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return rows[0]?.count ?? 0;
}

const mb = (bytes: number): string => `${Math.round(bytes / megabyte)} MB`;

const report = (line: string): void => void process.stderr.write(`${line}\n`);
