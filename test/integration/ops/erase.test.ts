/** What a deleted patient leaves behind, and that it can be erased. */
import { randomUUID } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { Pool } from 'pg';
import { auditLog } from '../../../src/healthcore/consumers/auditLog';
import { handlerOf } from '../../../src/consumers/handlers';
import { putAside } from '../../../src/consumers/postponed/putAside';
import { type AnyEvent, catalogue } from '../../../src/healthcore/catalogue';
import { eraseData } from '../../../src/events/eraseData';
import { parseEnvelope } from '../../../src/events/envelope';
import { isExpired } from '../../../src/events/expiry';
import { eraseSubject, type EraseOptions } from '../../../src/ops/erase/erase';
import { patientErasure } from '../../../src/healthcore/patientErasure';
import { toolsOf } from './tools';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { eventOf, messageOf, patientMarker } from '../../support/events';
import { silentLogger } from '../../support/logger';

let database: TestDatabase;
let prisma: CapturedClient;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = silentLogger();
  const options = { databaseUrl: database.url, poolSize: 3, applicationName: 'erase', logger };
  prisma = await createCapturedClient('middleware', options, { source: 'test', logger });
  pool = new Pool({ connectionString: database.url, max: 2 });
});

afterAll(async () => {
  await prisma.$disconnect();
  await pool.end();
  await database.assertNoLeaks();
  await database.drop();
});

async function erase(id: string, options: EraseOptions = {}): Promise<string> {
  const stdout = new PassThrough();
  const tools = toolsOf({ DATABASE_URL: database.url }, { stdout, logger: silentLogger() });
  expect(await eraseSubject(tools, patientErasure, id, options)).toBe(0);
  return String(stdout.read());
}

const execute = { execute: true, by: 'ada', reason: 'asked for by letter 7' };

/** Everything in the database, of all tables of ours, as text. */
async function dump(): Promise<string> {
  const { rows: tables } = await pool.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
     WHERE schemaname IN ('public', 'signalbox', 'reminders')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await pool.query<{ row: string }>(`SELECT to_jsonb(t)::text AS row FROM ${name} t`);
    for (const { row } of rows) texts.push(row, ...decoded(row));
  }
  return texts.join('\n');
}

/** What bytes hold, which Postgres prints in hexadecimal. */
const decoded = (row: string): string[] =>
  [...row.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex = '']) => Buffer.from(hex, 'hex').toString());

/** Events as Kafka would bring them, out of the outbox. */
async function eventsOf(...ids: string[]): Promise<AnyEvent[]> {
  const { rows } = await pool.query<{
    event_type: 'patient.created';
    data: never;
    event_id: string;
    id: string;
  }>(
    `SELECT event_id, event_type, data, aggregate_id AS id FROM signalbox.outbox
     WHERE aggregate_id = ANY ($1) ORDER BY position`,
    [ids],
  );
  return rows.map(({ event_type, data, event_id, id }) => ({
    ...eventOf(event_type, data, {
      aggregate_id: id,
      aggregate_type: event_type.split('.')[0] ?? '',
    }),
    event_id,
  }));
}

interface Left {
  readonly id: string;
  readonly visitId: string;
  readonly marker: string;
}

/** A patient who has been and gone: in outbox, audit log, postponed events and contacts. */
async function deletedPatient(): Promise<Left> {
  const marker = `${patientMarker.toLowerCase()}-${randomUUID()}`;
  const data = { name: marker, email: `${marker}@example.com`, phone: `${marker}-1` };
  const { id } = await prisma.patient.create({ data });
  await prisma.patient.update({ where: { id }, data: { name: `${marker} II` } });
  const times = { startsAt: new Date('2030-01-01T10:00:00Z'), endsAt: new Date('2030-01-01T11:00:00Z') };
  const visit = await prisma.appointment.create({ data: { patientId: id, practitioner: id, ...times } });
  const mail = { to: data.email, subject: marker, text: marker, template: 'appointment-reminder' };
  await prisma.$transaction(async (tx) => {
    await tx.$append('email.send', { aggregateId: visit.id, data: mail });
    await tx.$append('email.send', { aggregateId: id, data: { ...mail, template: 'welcome' } });
  });
  await prisma.appointment.delete({ where: { id: visit.id } });
  await prisma.patient.delete({ where: { id } });
  await prisma.$executeRaw`INSERT INTO reminders.contact VALUES (${id}::uuid, 1, ${data.email})`;
  for (const event of await eventsOf(id, visit.id)) {
    await prisma.$transaction(async (tx) => {
      const message = { topic: 't', partition: 0, offset: '0', timestampMs: 0 };
      await handlerOf(auditLog, event)?.(event, { tx, logger: silentLogger(), attempt: 1, message });
      await putAside(tx, {
        consumer: 'some',
        delivery: { event, message: messageOf(event as never, 'test') },
      });
    });
  }
  return { id, visitId: visit.id, marker };
}

test('nothing of a deleted patient is left in any table, and others are not touched', async () => {
  const [gone, other] = [await deletedPatient(), await deletedPatient()];
  expect(await dump()).toContain(gone.marker);
  const output = await erase(gone.id, execute);
  const left = await dump();
  expect(left).not.toContain(gone.marker);
  expect(left.split(other.marker).length).toBeGreaterThan(10);
  expect(output).not.toContain(gone.marker);
  expect(output).toContain('Kafka: messages of before stay in the event topics for 7d');
  // That it happened, to which record, stays.
  const audit = await prisma.auditEntry.findMany({
    where: { aggregateId: gone.id, eventType: 'patient.created' },
  });
  expect(audit).toMatchObject([
    { data: { patient_id: gone.id, name: '[erased]', email: '[erased]', phone: '[erased]' } },
  ]);
});

test('another aggregate of the same id is another aggregate, and a message that only mentions the id is not the subject’s', async () => {
  const { id } = await deletedPatient();
  const marker = `${patientMarker}-${randomUUID()}`;
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     VALUES (signalbox.lane_of($1), 'order.placed', '1.0', 'order', $1, 'shop', $2)`,
    [id, JSON.stringify({ name: marker })],
  );
  const [event] = await eventsOf(id);
  if (!event) throw new Error('no event');
  const mentions = {
    ...event,
    event_id: randomUUID(),
    data: { name: marker, note: `not ${id}` },
    metadata: { ...event.metadata, aggregate_id: randomUUID() },
  };
  await prisma.$transaction(async (tx) =>
    putAside(tx, {
      consumer: 'other',
      delivery: { event: mentions, message: messageOf(mentions as never, 'test') },
    }),
  );
  await erase(id, execute);
  expect((await dump()).split(marker)).toHaveLength(3);
});

test('a dry run says how many rows it would change and changes none', async () => {
  const { id } = await deletedPatient();
  const before = await dump();
  const dry = JSON.parse(await erase(id, { json: true })) as { rows: object; executed: boolean };
  expect(await dump()).toBe(before);
  expect(dry).toMatchObject({
    executed: false,
    rows: { outbox: 4, audit_log: 4, postponed_events: 4, reminder_contacts: 1 },
  });
  expect(JSON.parse(await erase(id, { ...execute, json: true }))).toMatchObject({
    executed: true,
    rows: dry.rows,
  });
  expect(await erase(id)).toContain('Nothing is left of the patient');
});

test('the journal says who erased what of whom, when and why', async () => {
  const { id } = await deletedPatient();
  await erase(id, execute);
  const { rows } = await pool.query('SELECT * FROM signalbox.erasure WHERE subject_id = $1', [id]);
  expect(rows).toEqual([
    {
      id: expect.any(String),
      subject_type: 'patient',
      subject_id: id,
      erased_at: expect.any(Date),
      erased_by: 'ada',
      reason: 'asked for by letter 7',
      rows: { outbox: 4, audit_log: 4, postponed_events: 4, reminder_contacts: 1 },
    },
  ]);
});

test('erased events still fit the catalogue, so that they can be published and replayed; mails among them have expired', async () => {
  const { id, visitId } = await deletedPatient();
  await erase(id, execute);
  const events = await eventsOf(id, visitId);
  expect(events.length).toBeGreaterThan(5);
  for (const event of events) {
    expect(parseEnvelope(catalogue, JSON.stringify(event))).toMatchObject({ ok: true });
    if (event.event_type === 'email.send') expect(isExpired(catalogue, event, new Date())).toBe(true);
  }
});

test('an event type that is not in the catalogue any more is erased altogether', () => {
  expect(catalogue.find('patient.renamed')).toBeUndefined();
  expect(eraseData(catalogue, 'patient.renamed', { name: patientMarker })).toEqual({});
});

test('only an erasure may change the audit log, and only what a row says of a person', async () => {
  const { id } = await deletedPatient();
  const client = await pool.connect();
  const change = (set: string): Promise<unknown> =>
    client.query(`UPDATE audit_log SET ${set} WHERE aggregate_id = $1`, [id]);
  await expect(change(`data = '{}'`)).rejects.toThrow('append-only');
  await client.query('BEGIN');
  await client.query(`SELECT set_config('signalbox.erasing', 'on', true)`);
  await expect(change(`actor = 'somebody else'`)).rejects.toThrow('append-only');
  await client.query('ROLLBACK');
  client.release();
  await erase(id, execute);
  await expect(change(`data = '{}'`)).rejects.toThrow('append-only');
});

test('if the journal cannot be written nothing is erased', async () => {
  const { id } = await deletedPatient();
  const before = await dump();
  await expect(erase(id, { ...execute, by: 'a\u0000b' })).rejects.toThrow();
  expect(await dump()).toBe(before);
});

test('a patient who still exists is not erased: the command says to delete first', async () => {
  const { id } = await prisma.patient.create({ data: { name: 'Ada', email: `${randomUUID()}@example.com` } });
  await expect(erase(id, execute)).rejects.toThrow(
    `The patient ${id} still exists. Delete the patient first`,
  );
});

test.each([
  ['no-uuid', execute, 'is not the id of a patient'],
  [randomUUID(), { execute: true }, 'Say why with --reason'],
  [randomUUID(), { execute: true, reason: '  ' }, 'Say why with --reason'],
])('what is not complete is refused in one line (%#)', async (id, options, message) => {
  await expect(erase(id, options)).rejects.toThrow(message);
});
