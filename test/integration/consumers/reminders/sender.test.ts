import { readFileSync } from 'node:fs';
import path from 'node:path';
import {
  createReminderSender,
  sendDueReminders,
  type SenderDatabase,
} from '../../../../src/healthcore/consumers/reminders/sender';
import type { AnyEvent } from '../../../../src/healthcore/catalogue';
import type { CapturedClient } from '../../../../src/healthcore/capturedClient';
import { createCapturedClient } from '../../../../src/healthcore/capturedClient';
import type { CaptureEngineName } from '../../../../src/outbox/prisma/engineName';
import { createTestDatabase, type TestDatabase } from '../../../support/database';
import { patientMarker } from '../../../support/events';
import { captureLogger, silentLogger } from '../../../support/logger';
import { waitFor } from '../../../support/waitFor';
import { AppointmentHistory, handleAll, inHours, PatientHistory } from './histories';

jest.setTimeout(180_000);

let database: TestDatabase;
const clients: CapturedClient[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await Promise.all(clients.map((client) => client.$disconnect()));
  await database.assertNoLeaks();
  await database.drop();
});

async function connect(engine: CaptureEngineName = 'middleware'): Promise<CapturedClient> {
  const options = { databaseUrl: database.url, poolSize: 3, applicationName: 'sender' };
  const logger = silentLogger();
  const client = await createCapturedClient(engine, { ...options, logger }, { source: 'reminders', logger });
  clients.push(client);
  return client;
}

interface Sent {
  readonly aggregate_id: string;
  readonly aggregate_type: string;
  readonly causation_id: string | null;
  readonly correlation_id: string;
  readonly data: { to: string; subject: string; text: string; template: string };
}

/** The e-mails that have been asked for on behalf of an appointment, in order. */
async function sentFor(prisma: CapturedClient, id: string): Promise<Sent[]> {
  return prisma.$queryRaw<Sent[]>`
    SELECT aggregate_id, aggregate_type, causation_id, correlation_id, data FROM signalbox.outbox
    WHERE event_type = 'email.send' AND aggregate_id = ${id} ORDER BY position`;
}

describe.each(['middleware', 'trigger'] as const)('with the %s engine', (engine) => {
  let prisma: CapturedClient;

  beforeAll(async () => {
    prisma = await connect(engine);
  });

  /** All rounds that it takes, as the sender does them. */
  const send = async (leadMinutes = 1_440): Promise<void> => {
    const options = { database: prisma, leadMinutes, timeZone: 'Europe/Berlin', limit: 10 };
    while ((await sendDueReminders(options)) === 10);
  };
  const tell = (...events: AnyEvent[]): Promise<void> => handleAll(prisma, events);

  /** A patient with an address and an appointment in so many hours. */
  async function known(hours: number): Promise<{ patient: PatientHistory; visit: AppointmentHistory }> {
    const patient = new PatientHistory();
    const visit = new AppointmentHistory(patient.id);
    await tell(patient.created('ada@example.com'), visit.booked(inHours(hours)));
    return { patient, visit };
  }

  test('asks for one e-mail, when it is time and not before', async () => {
    const { visit } = await known(30);
    await send(29 * 60);
    expect(await sentFor(prisma, visit.id)).toEqual([]);
    await send(31 * 60);
    await send(31 * 60);
    expect(await sentFor(prisma, visit.id)).toHaveLength(1);
  });

  test('says when, in the time zone of the patients, to whom, and why it is sent; and nothing else', async () => {
    const patient = new PatientHistory();
    const visit = new AppointmentHistory(patient.id);
    const booked = visit.booked('2099-07-01T10:30:00.000Z');
    await tell(patient.created('ada@example.com'), booked);
    await send(43_200 * 12 * 100);
    expect(await sentFor(prisma, visit.id)).toEqual([
      {
        aggregate_id: visit.id,
        aggregate_type: 'email',
        causation_id: booked.event_id,
        correlation_id: booked.metadata.correlation_id,
        data: {
          to: 'ada@example.com',
          subject: 'Your appointment',
          text:
            'This is a reminder of your appointment on Wednesday, 1 July 2099 at 12:30 CEST.\n\n' +
            'If you cannot come, please let us know.\n',
          template: 'appointment-reminder',
          expires_at: '2099-07-01T10:30:00.000Z',
        },
      },
    ]);
  });

  test('asks for none for a cancelled, completed, deleted or past appointment', async () => {
    const visits = await Promise.all([1, 1, 1, -1].map((hours) => known(hours)));
    const [cancelled, completed, deleted] = visits.map(({ visit }) => visit);
    await tell(
      ...[cancelled?.cancelled(), completed?.completed(), deleted?.deleted()].flatMap((e) => e ?? []),
    );
    await send();
    for (const { visit } of visits) expect(await sentFor(prisma, visit.id)).toEqual([]);
  });

  test('moves the reminder with its appointment, and sends another one when it was sent before', async () => {
    const { visit } = await known(2);
    await tell(visit.rescheduled(inHours(100)));
    await send();
    expect(await sentFor(prisma, visit.id)).toEqual([]);
    const [morning, evening] = [inHours(3), inHours(9)];
    await tell(visit.rescheduled(morning));
    await send();
    expect(await sentFor(prisma, visit.id)).toHaveLength(1);
    await tell(visit.rescheduled(evening));
    await tell(visit.rescheduled(morning));
    await send();
    expect(await sentFor(prisma, visit.id)).toHaveLength(1);
    await tell(visit.rescheduled(evening));
    await send();
    await send();
    expect(await sentFor(prisma, visit.id)).toHaveLength(2);
  });

  test('waits for an address that has not come yet, and takes the one that is known by then', async () => {
    const patient = new PatientHistory();
    const visit = new AppointmentHistory(patient.id);
    const [created, updated] = [patient.created('old@example.com'), patient.updated('new@example.com')];
    await tell(visit.booked(inHours(2)));
    await send();
    expect(await sentFor(prisma, visit.id)).toEqual([]);
    await tell(updated, created);
    await send();
    expect(await sentFor(prisma, visit.id)).toMatchObject([{ data: { to: 'new@example.com' } }]);
  });

  test('writes to nobody who is deleted or has no address, and others get their mail', async () => {
    const gone = await known(2);
    await tell(gone.patient.deleted());
    const without = await known(2);
    await tell(without.patient.updated('not an address'));
    const other = await known(2);
    await send();
    expect(await sentFor(prisma, gone.visit.id)).toEqual([]);
    expect(await sentFor(prisma, without.visit.id)).toEqual([]);
    expect(await sentFor(prisma, other.visit.id)).toHaveLength(1);
  });

  test('asks once for each of 200 e-mails while four senders look at the same time', async () => {
    const visits = await Promise.all(Array.from({ length: 200 }, () => known(2)));
    const others = await Promise.all([1, 2, 3].map(() => connect(engine)));
    const counts = await Promise.all(
      [prisma, ...others].map(async (database) => {
        const options = { database, leadMinutes: 1_440, timeZone: 'UTC', limit: 7 };
        let sum = 0;
        for (let sent = -1; sent !== 0; sum += sent) sent = await sendDueReminders(options);
        return sum;
      }),
    );
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(200);
    for (const { visit } of visits) expect(await sentFor(prisma, visit.id)).toHaveLength(1);
  });

  test('that dies in the middle of a round has asked for nothing, and the next round for everything once', async () => {
    const visits = await Promise.all(Array.from({ length: 5 }, () => known(2)));
    let appended = 0;
    const dying: SenderDatabase = {
      $transaction: (work, options) =>
        prisma.$transaction(async (tx) => {
          const append: typeof tx.$append = async (...event) => {
            appended += 1;
            if (appended === 3) await cutConnectionOf(tx);
            return tx.$append(...event);
          };
          return work(
            new Proxy(tx, { get: (on, key) => (key === '$append' ? append : Reflect.get(on, key)) }),
          );
        }, options),
    };
    const options = { leadMinutes: 1_440, timeZone: 'UTC' };
    await expect(sendDueReminders({ database: dying, ...options })).rejects.toThrow();
    expect(appended).toBe(3);
    for (const { visit } of visits) expect(await sentFor(prisma, visit.id)).toEqual([]);
    await send();
    for (const { visit } of visits) expect(await sentFor(prisma, visit.id)).toHaveLength(1);
  });

  async function cutConnectionOf(tx: Pick<CapturedClient, '$queryRaw'>): Promise<void> {
    const [row] = await tx.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    await prisma.$queryRaw`SELECT pg_terminate_backend(${row?.pid}::int)::text`;
  }

  test('passes over an appointment whose cancellation is being noted at that moment', async () => {
    const { visit } = await known(2);
    await prisma.$transaction(async (tx) => {
      await handleAll(tx, [visit.cancelled()]);
      await send();
    });
    await send();
    expect(await sentFor(prisma, visit.id)).toEqual([]);
  });
});

test('the statements of the operations guide tell who is to be reminded, and fill the tables from the source', async () => {
  const prisma = await connect();
  const guide = readFileSync(path.resolve(__dirname, '../../../../docs/operations.md'), 'utf8');
  const [waiting = '', fill = ''] = [...guide.matchAll(/^```sql\n(.*?)^```$/gms)]
    .map(([, sql = '']) => sql)
    .filter((sql) => sql.includes('reminders.'));
  const person = { name: 'Ada', email: 'ada@example.com' };
  const patient = await prisma.patient.create({ data: person });
  const [startsAt, endsAt] = [inHours(40), inHours(41)];
  const times = { patientId: patient.id, practitioner: 'Dr Who', startsAt, endsAt };
  const { id } = await prisma.appointment.create({ data: times });
  for (const sql of fill.split(/(?<=;\n)/)) await prisma.$executeRawUnsafe(sql);
  const rows = await prisma.$queryRawUnsafe<object[]>(waiting);
  expect(rows).toContainEqual({ appointment_id: id, starts_at: new Date(startsAt), no_address: false });
  await sendDueReminders({ database: prisma, leadMinutes: 41 * 60, timeZone: 'UTC' });
  expect(await sentFor(prisma, id)).toMatchObject([{ causation_id: null, data: { to: person.email } }]);
});

test('as a service it sends by itself, says how many and to nobody by name, and outlives an outage', async () => {
  const prisma = await connect();
  const patient = new PatientHistory();
  const visit = new AppointmentHistory(patient.id);
  await handleAll(prisma, [patient.created(`${patientMarker}@example.com`), visit.booked(inHours(1))]);
  let outages = 2;
  const shaky: SenderDatabase = {
    $transaction: async (work, options) => {
      outages -= 1;
      if (outages >= 0) throw new Error('Connection terminated');
      return prisma.$transaction(work, options);
    },
  };
  const log = captureLogger();
  let sent = 0;
  const sender = createReminderSender({
    database: shaky,
    leadMinutes: 60,
    timeZone: 'UTC',
    logger: log.logger,
    onSent: (reminders) => (sent += reminders),
    intervalMs: 20,
  });
  await sender.start();
  await waitFor(() => sent === 1, { what: 'the reminder' });
  await sender.stop();
  expect(await sentFor(prisma, visit.id)).toHaveLength(1);
  expect(log.lines().join('\n')).toContain('trying again');
  expect(log.lines().join('\n')).not.toContain(patientMarker);
});
