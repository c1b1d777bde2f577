/** Reminders that were right when they were asked for, and are looked at again just before they are sent. */
import { emailSender } from '../../../../src/healthcore/consumers/emailSender';
import type { Mail } from '../../../../src/healthcore/consumers/email/mailer';
import type { Outcome } from '../../../../src/consumers/outcome';
import { processMessage } from '../../../../src/consumers/processMessage';
import { sendDueReminders } from '../../../../src/healthcore/consumers/reminders/sender';
import { type EventEnvelope, catalogue } from '../../../../src/healthcore/catalogue';
import type { CapturedClient } from '../../../../src/healthcore/capturedClient';
import { createCapturedClient } from '../../../../src/healthcore/capturedClient';
import { createTestDatabase, type TestDatabase } from '../../../support/database';
import { eventOf, messageOf } from '../../../support/events';
import { silentLogger } from '../../../support/logger';
import { AppointmentHistory, handleAll, inHours, PatientHistory } from './histories';

let database: TestDatabase;
let prisma: CapturedClient;
const mails: Mail[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = silentLogger();
  const options = { databaseUrl: database.url, poolSize: 5, applicationName: 'lateness', logger };
  prisma = await createCapturedClient('middleware', options, { source: 'reminders', logger });
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

const recorder = emailSender({ send: async (mail) => void mails.push(mail), close: async () => undefined });

interface Visit {
  readonly id: string;
  readonly patient: PatientHistory;
  readonly history: AppointmentHistory;
  /** The reminder that was asked for, as Kafka brings it. */
  readonly reminder: EventEnvelope<'email.send'>;
}

/** An appointment in two hours, in the service's tables and in the projection, whose reminder has been asked for. */
async function reminded(): Promise<Visit> {
  const patient = new PatientHistory();
  const history = new AppointmentHistory(patient.id);
  const email = `${patient.id}@example.com`;
  const startsAt = inHours(2);
  await prisma.patient.create({ data: { id: patient.id, name: 'Ada', email } });
  await prisma.appointment.create({
    data: { id: history.id, patientId: patient.id, practitioner: patient.id, startsAt, endsAt: inHours(3) },
  });
  await handleAll(prisma, [patient.created(email), history.booked(startsAt)]);
  const [reminder] = await askForReminders(history.id);
  if (!reminder) throw new Error('no reminder was asked for');
  return { id: history.id, patient, history, reminder };
}

async function askForReminders(appointmentId: string): Promise<EventEnvelope<'email.send'>[]> {
  while ((await sendDueReminders({ database: prisma, leadMinutes: 1_440, timeZone: 'UTC' })) > 0);
  const rows = await prisma.$queryRaw<{ data: EventEnvelope<'email.send'>['data'] }[]>`
    SELECT data FROM signalbox.outbox
    WHERE event_type = 'email.send' AND aggregate_id = ${appointmentId} ORDER BY position`;
  return rows.map(({ data }) => eventOf('email.send', data, { aggregate_id: appointmentId }));
}

/** What becomes of the command, and how many mails went out. */
async function send(event: EventEnvelope<'email.send'>): Promise<[Outcome, number]> {
  const before = mails.length;
  const outcome = await processMessage(messageOf(event, 'test'), {
    consumer: 'email-sender',
    handlers: {},
    effects: recorder,
    catalogue,
    topicPrefix: 'test',
    database: prisma,
    logger: silentLogger(),
    handlerTimeoutMs: 20_000,
    attempt: 1,
  });
  return [outcome, mails.length - before];
}

const sent = [{ kind: 'processed' }, 1];
const notSent = [{ kind: 'not_wanted', reason: 'not_wanted' }, 0];

test('a reminder that still holds is sent, once', async () => {
  const { reminder } = await reminded();
  expect(await send(reminder)).toEqual(sent);
  expect(await send(reminder)).toEqual([{ kind: 'duplicate' }, 0]);
});

test('a reminder says until when there is a point in sending it: the appointment’s start', async () => {
  const { id, reminder } = await reminded();
  const { startsAt } = await prisma.appointment.findUniqueOrThrow({ where: { id } });
  expect(reminder.data.expires_at).toBe(startsAt.toISOString());
});

describe('no reminder goes out', () => {
  type Change = (visit: Visit) => Promise<unknown>;

  test.each<[string, Change]>([
    ['was cancelled', async ({ history }) => handleAll(prisma, [history.cancelled()])],
    ['is completed', async ({ history }) => handleAll(prisma, [history.completed()])],
    ['was deleted', async ({ history }) => handleAll(prisma, [history.deleted()])],
    ['was moved', async ({ history }) => handleAll(prisma, [history.rescheduled(inHours(5))])],
  ])('when the projection knows that the appointment %s', async (_what, change) => {
    const visit = await reminded();
    await change(visit);
    expect(await send(visit.reminder)).toEqual(notSent);
  });

  const update = (id: string, data: object): Promise<unknown> =>
    prisma.appointment.update({ where: { id }, data });

  test.each<[string, Change]>([
    ['was cancelled', ({ id }) => update(id, { status: 'CANCELLED' })],
    ['is completed', ({ id }) => update(id, { status: 'COMPLETED' })],
    ['was deleted', ({ id }) => prisma.appointment.delete({ where: { id } })],
    ['was moved', ({ id }) => update(id, { startsAt: inHours(5), endsAt: inHours(6) })],
    ['is past', ({ id }) => update(id, { startsAt: inHours(-2), endsAt: inHours(-1) })],
  ])('when the appointment %s and the projection has not heard of it', async (_what, change) => {
    const visit = await reminded();
    await change(visit);
    expect(await send(visit.reminder)).toEqual(notSent);
  });

  test('when the patient was deleted', async () => {
    const { patient, reminder } = await reminded();
    await handleAll(prisma, [patient.deleted()]);
    expect(await send(reminder)).toEqual(notSent);
  });

  test('when the appointment has begun by the time that the command comes', async () => {
    const { reminder } = await reminded();
    const late = { ...reminder, data: { ...reminder.data, expires_at: inHours(-0.01) } };
    expect(await send(late)).toEqual([{ kind: 'not_wanted', reason: 'expired' }, 0]);
  });
});

test('an appointment that was moved is reminded of by the command for its new time', async () => {
  const { id, history, reminder } = await reminded();
  const startsAt = inHours(5);
  await prisma.appointment.update({ where: { id }, data: { startsAt, endsAt: inHours(6) } });
  await handleAll(prisma, [history.rescheduled(startsAt)]);
  const [, second] = await askForReminders(id);
  expect(await send(reminder)).toEqual(notSent);
  expect(await send(second as typeof reminder)).toEqual(sent);
});

test('a patient whose address has changed is reminded at the new one', async () => {
  const { id, patient, reminder } = await reminded();
  await handleAll(prisma, [patient.updated('new@example.com')]);
  expect(await send(reminder)).toEqual(notSent);
  const [, second] = await askForReminders(id);
  expect(await send(second as typeof reminder)).toEqual(sent);
  expect(mails.at(-1)?.to).toBe('new@example.com');
});

test('a reminder of before commands expired is sent if its appointment still takes place', async () => {
  const [visit, cancelled] = [await reminded(), await reminded()];
  const old = ({ reminder }: Visit): typeof reminder => {
    const { expires_at: _, ...data } = reminder.data;
    return { ...reminder, data };
  };
  await handleAll(prisma, [cancelled.history.cancelled()]);
  expect(await send(old(visit))).toEqual(sent);
  expect(await send(old(cancelled))).toEqual(notSent);
});

test('mail about anything else is sent as it was asked for', async () => {
  const data = { to: 'ada@example.com', subject: 'Welcome', text: 'Hello', template: 'welcome' };
  expect(await send(eventOf('email.send', data))).toEqual(sent);
  expect(await send(eventOf('email.send', { ...data, template: 'appointment-reminder' }))).toEqual(sent);
  const strange = eventOf(
    'email.send',
    { ...data, template: 'appointment-reminder' },
    { aggregate_id: 'visit-7' },
  );
  expect(await send(strange)).toEqual(sent);
});
