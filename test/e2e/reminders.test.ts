import { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { patientMarker } from '../support/events';
import { kafkaBrokers, uniqueName } from '../support/kafka';
import { type MailServer, startMailServer } from '../support/mailServer';
import { killPrograms } from '../support/process';
import { waitFor } from '../support/waitFor';
import {
  type Part,
  startPart,
  startSystem,
  type System,
  type SystemOptions,
  waitUntilReady,
} from './support/system';

jest.setTimeout(240_000);

let database: TestDatabase;
let mailServer: MailServer;
let system: System;
let options: SystemOptions;
/** Consumers of earlier tests. */
const running: Part[] = [];

beforeAll(async () => {
  [database, mailServer] = await Promise.all([createTestDatabase(), startMailServer()]);
  options = {
    databaseUrl: database.url,
    brokers: kafkaBrokers().join(','),
    topicPrefix: uniqueName('reminders').replaceAll('.', '-'),
    env: {
      SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
      SMTP_FROM: 'no-reply@clinic.example',
      SMTP_REQUIRE_TLS: 'false',
      REMINDER_TIME_ZONE: 'Europe/Berlin',
    },
  };
  system = await startSystem(options);
});

afterAll(async () => {
  await killPrograms();
  await mailServer?.stop();
  await database?.drop();
});

async function request(method: string, path: string, body: object = {}): Promise<Response> {
  const response = await fetch(`${system.api.url}/api/v1${path}`, {
    method,
    headers: { 'Content-Type': 'application/json' },
    ...(method === 'DELETE' ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.status).toBeLessThan(300);
  return response;
}

async function post(path: string, body: object = {}): Promise<{ id: string }> {
  return (await (await request('POST', path, body)).json()) as { id: string };
}

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

const book = (patient: { id: string }, hours: number): Promise<{ id: string }> =>
  post('/appointments', {
    patient_id: patient.id,
    practitioner: `Dr ${patient.id}`,
    starts_at: inHours(hours),
    ends_at: inHours(hours + 0.5),
  });

const mailsTo = (address: string): string[] =>
  mailServer.mails.filter(({ to }) => to.includes(address)).map(({ source }) => source);

test('a patient with an appointment tomorrow gets one e-mail; who cancelled, or comes later, gets none', async () => {
  const patient = (name: string): Promise<{ id: string }> =>
    post('/patients', { name: patientMarker, email: `${name}@example.com` });
  const [ada, grace, edsger, last] = await Promise.all(['ada', 'grace', 'edsger', 'last'].map(patient));
  if (!ada || !grace || !edsger || !last) throw new Error('no patients');
  await system.consumers.program.kill('SIGTERM');
  const cancelled = await book(grace, 5);
  await post(`/appointments/${cancelled.id}/cancel`);
  await book(edsger, 24 * 30);
  await book(ada, 6);
  // Two processes share the work, and the reminders of both are sent by whoever comes first.
  const consumers = await Promise.all([1, 2].map(() => startPart('consumers', 'CONSUMERS_PORT', options)));
  running.push(...consumers);
  await Promise.all(consumers.map(waitUntilReady));
  await waitFor(() => mailsTo('ada@example.com').length > 0, { what: 'the reminder', deadlineMs: 120_000 });
  // What is asked for after it has come, so everything before has been dealt with by then.
  await book(last, 7);
  await waitFor(() => mailsTo('last@example.com').length > 0, { what: 'the next one', deadlineMs: 120_000 });
  expect(mailServer.mails).toHaveLength(2);
  const [mail] = mailsTo('ada@example.com');
  expect(mail).toContain('This is a reminder of your appointment on');
  expect(mail).not.toContain(patientMarker);
  for (const { program } of [system.api, system.relay, system.consumers, ...consumers]) {
    expect(program.output()).not.toMatch(/example\.com|Zebulon/);
  }
});

async function count(sql: string, values: unknown[]): Promise<number> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return Number((await client.query<{ count: string }>(sql, values)).rows[0]?.count);
  } finally {
    await client.end();
  }
}

test('after an outage nobody is reminded of an appointment that was cancelled, deleted or moved meanwhile', async () => {
  const names = ['kept', 'cancelled', 'removed', 'moved'];
  const patients = await Promise.all(
    names.map((name) => post('/patients', { name: patientMarker, email: `${name}@example.com` })),
  );
  const visits = await Promise.all(patients.map((patient) => book(patient, 50)));
  const ids = visits.map(({ id }) => id);
  const [, cancelled, removed, moved] = ids;
  const known = `SELECT count(*) FROM reminders.appointment a JOIN reminders.contact USING (patient_id)
    WHERE appointment_id = ANY ($1)`;
  const askedFor = `SELECT count(*) FROM signalbox.outbox WHERE event_type = 'email.send' AND aggregate_id = ANY ($1)`;
  const later = { ...options, env: { ...options.env, REMINDER_LEAD_MINUTES: String(60 * 60) } };
  const early = await startPart('consumers', 'CONSUMERS_PORT', options);
  await waitFor(async () => (await count(known, [ids])) === 4, {
    what: 'the projection',
    deadlineMs: 120_000,
  });
  await system.relay.program.kill('SIGKILL');
  await early.program.kill('SIGTERM');
  for (const { program } of running.splice(0)) await program.kill('SIGTERM');
  const consumers = await startPart('consumers', 'CONSUMERS_PORT', later);
  await waitFor(async () => (await count(askedFor, [ids])) === 4, {
    what: 'the commands',
    deadlineMs: 120_000,
  });
  await request('POST', `/appointments/${cancelled}/cancel`);
  await request('DELETE', `/appointments/${removed}`);
  await request('PATCH', `/appointments/${moved}`, { starts_at: inHours(55), ends_at: inHours(56) });
  await startPart('relay', 'RELAY_PORT', options);
  const arrived = (): boolean =>
    mailsTo('kept@example.com').length > 0 && mailsTo('moved@example.com').length > 0;
  await waitFor(arrived, { what: 'the reminders', deadlineMs: 120_000 });
  const done = `SELECT count(*) FROM signalbox.outbox o JOIN signalbox.inbox i
    ON i.event_id = o.event_id AND i.consumer = 'email-sender' WHERE o.aggregate_id = ANY ($1)`;
  await waitFor(async () => (await count(done, [ids])) === 5, {
    what: 'all commands to be done with',
    deadlineMs: 120_000,
  });
  expect(names.map((name) => mailsTo(`${name}@example.com`).length)).toEqual([1, 0, 0, 1]);
  expect(consumers.program.output()).toContain('it is not wanted any more');
});
