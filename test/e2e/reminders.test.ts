import { createTestDatabase, type TestDatabase } from '../support/database';
import { patientMarker } from '../support/events';
import { kafkaBrokers, uniqueName } from '../support/kafka';
import { type MailServer, startMailServer } from '../support/mailServer';
import { killPrograms } from '../support/process';
import { waitFor } from '../support/waitFor';
import { startPart, startSystem, type System, type SystemOptions, waitUntilReady } from './support/system';

jest.setTimeout(240_000);

let database: TestDatabase;
let mailServer: MailServer;
let system: System;
let options: SystemOptions;

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

async function post(path: string, body: object = {}): Promise<{ id: string }> {
  const response = await fetch(`${system.api.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.status).toBeLessThan(300);
  return (await response.json()) as { id: string };
}

const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();

const book = (patient: { id: string }, hours: number): Promise<{ id: string }> =>
  post('/appointments', {
    patient_id: patient.id,
    practitioner: 'Dr Who',
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
  const consumers = await Promise.all(
    [1, 2].map(() => startPart('src/consumers/main', 'CONSUMERS_PORT', options)),
  );
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
