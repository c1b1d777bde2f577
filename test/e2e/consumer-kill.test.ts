/**
 * Members of one consumer group as programs, killed at random instants while events come in.
 *
 * The audit log's table loses its primary key here, so that a second effect would show as a second row, and each insert
 * takes a moment, so that most kills strike in mid-transaction. CONSUMER_KILLS=100 makes it as long as you like.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Partitioners, type Producer } from 'kafkajs';
import { Client } from 'pg';
import { catalogue, type EventEnvelope } from '../../src/healthcore/catalogue';
import { topicOf } from '../../src/kafka/topics/topicNames';
import { declaredTopics } from '../../src/kafka/topics/declaredTopics';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { patientCreated } from '../support/events';
import { effort } from '../support/effort';
import { createTopics, deleteTopics, kafkaBrokers, testKafka, uniqueName } from '../support/kafka';
import { killPrograms } from '../support/process';
import { waitFor } from '../support/waitFor';
import { type Part, startPart, waitUntilReady } from './support/system';

const kills = Number(process.env['CONSUMER_KILLS'] ?? effort(4, 12));
const members = 3;
const partitions = 6;

const topicPrefix = uniqueName('consumer-kill').replaceAll('.', '-');
const topic = topicOf(topicPrefix, 'patient.created');
let database: TestDatabase;
let sql: Client;
let producer: Producer;

beforeAll(async () => {
  database = await createTestDatabase();
  sql = new Client({ connectionString: database.url });
  await sql.connect();
  await sql.query(`ALTER TABLE audit_log DROP CONSTRAINT audit_log_pkey;
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END';
    CREATE TRIGGER slow BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION slow()`);
  await createTopics(...declaredTopics(catalogue, topicPrefix).map((name) => ({ topic: name, partitions })));
  producer = testKafka().producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
});

afterAll(async () => {
  await killPrograms();
  await producer.disconnect();
  await sql.end();
  await database.drop();
  await deleteTopics(...declaredTopics(catalogue, topicPrefix));
});

const startMember = (): Promise<Part> =>
  startPart('consumers', 'CONSUMERS_PORT', {
    args: ['audit-log'],
    databaseUrl: database.url,
    brokers: kafkaBrokers().join(','),
    topicPrefix,
    env: { CONSUMER_SESSION_TIMEOUT_MS: '6000' },
  });

async function send(events: readonly EventEnvelope<'patient.created'>[], partition?: number): Promise<void> {
  const messages = events.map((event) => ({
    key: event.metadata.aggregate_id,
    value: JSON.stringify(event),
    ...(partition === undefined ? {} : { partition }),
  }));
  await producer.send({ topic, acks: -1, messages });
}

/** What the consumers have done, asked of the database and of nobody else. */
async function effects(): Promise<{ rows: number; events: number; noted: number }> {
  const { rows } = await sql.query<{ rows: number; events: number; noted: number }>(
    `SELECT count(*)::int AS rows, count(DISTINCT event_id)::int AS events,
       (SELECT count(*)::int FROM signalbox.inbox) AS noted FROM audit_log`,
  );
  return rows[0] ?? { rows: 0, events: 0, noted: 0 };
}

test('fifty copies of an event that reach three processes at once have one effect', async () => {
  const parts = await Promise.all(Array.from({ length: members }, startMember));
  await Promise.all(parts.map(waitUntilReady));
  const events = Array.from({ length: 20 }, () => patientCreated());
  // Each in another order, so that transactions of several messages claim the same events side by side.
  const copies = Array.from({ length: 48 }, (_, copy) =>
    send(copy % 2 === 0 ? events : [...events].reverse(), copy % partitions),
  );
  await Promise.all([...copies, send(events), send(events)]);
  await waitFor(async () => (await lagOf(parts)) === 0, { what: 'all copies', deadlineMs: 180_000 });
  expect(await effects()).toEqual({ rows: 20, events: 20, noted: 20 });
  const duplicates = await sumOf(
    parts,
    /^signalbox_consumer_events_total\{.*outcome="duplicate".*\} (\d+)/gm,
  );
  // A rebalance may deliver some of them once more.
  expect(duplicates).toBeGreaterThanOrEqual(49 * 20);
  for (const { program } of parts) expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
}, 300_000);

/** Messages that are not processed yet, as the members say; undefined before they have said anything. */
async function lagOf(parts: readonly Part[]): Promise<number | undefined> {
  const done = await sumOf(parts, /^signalbox_consumer_events_total\{.*\} (\d+)/gm);
  return done >= 50 * 20 ? sumOf(parts, /^signalbox_consumer_lag\{.*\} (\d+)/gm) : undefined;
}

async function sumOf(parts: readonly Part[], pattern: RegExp): Promise<number> {
  const texts = await Promise.all(parts.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()));
  return texts
    .flatMap((text) => [...text.matchAll(pattern)])
    .reduce((sum, [, count]) => sum + Number(count), 0);
}

test(`after ${kills} kills every event has had its effect exactly once`, async () => {
  await sql.query('TRUNCATE audit_log, signalbox.inbox');
  const state = { goesOn: true };
  const sending = sendSteadily(state);
  const running: Part[] = [];
  const told = (): string => running.map(({ program }) => program.output()).join('\n');
  for (let count = 0; count < members; count += 1) running.push(await startMember());
  for (let killed = 0; killed < kills;) {
    const before = (await effects()).events;
    // The dead keep their partitions until their session ends: progress means that the living have shared them out.
    await waitFor(async () => (await effects()).events > before + 20, {
      what: () => `the members to go on:\n${told()}`,
      deadlineMs: 90_000,
    });
    await sleep(Math.random() * 300);
    const several = Math.min(1 + Math.floor(Math.random() * members), kills - killed);
    const victims = running.splice(0, several);
    await Promise.all(victims.map(({ program }) => program.kill('SIGKILL')));
    killed += several;
    for (let count = 0; count < several; count += 1) running.push(await startMember());
  }
  state.goesOn = false;
  const sent = await sending;
  await waitFor(async () => (await effects()).events >= sent.length, {
    what: () => `all ${sent.length} events:\n${told()}`,
    deadlineMs: 120_000,
  });
  for (const part of running) {
    // One that has hardly begun does not know the signal yet.
    await waitUntilReady(part);
    expect(await part.program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  }
  expect(await effects()).toEqual({ rows: sent.length, events: sent.length, noted: sent.length });
  const { rows } = await sql.query<{ event_id: string }>('SELECT event_id FROM audit_log');
  expect(new Set(rows.map((row) => row.event_id))).toEqual(new Set(sent));
}, 3_600_000);

/** Resolves to the ids of all that was sent. */
async function sendSteadily(state: { goesOn: boolean }): Promise<string[]> {
  const ids: string[] = [];
  while (state.goesOn) {
    const events = Array.from({ length: 10 }, () => patientCreated());
    await send(events);
    ids.push(...events.map(({ event_id }) => event_id));
    await sleep(50);
  }
  return ids;
}
