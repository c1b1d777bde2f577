import { randomUUID } from 'node:crypto';
import type { AnyEvent } from '../../../../src/healthcore/catalogue';
import { Prisma, type PrismaClient } from '../../../../src/generated/prisma/client';
import { createPrismaClient } from '../../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../../support/database';
import { effort } from '../../../support/effort';
import { patientMarker } from '../../../support/events';
import { captureLogger, silentLogger } from '../../../support/logger';
import { AppointmentHistory, handleAll, inHours, PatientHistory, permutations } from './histories';

let database: TestDatabase;
let prisma: PrismaClient;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 4,
    applicationName: 'projection',
    logger: silentLogger(),
  });
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

interface Known {
  readonly sequence: string;
  readonly event_id: string;
  readonly starts_at: Date | null;
}

async function appointment(tx: Prisma.TransactionClient, id: string): Promise<Known | undefined> {
  const [row] = await tx.$queryRaw<Known[]>`
    SELECT sequence::text, event_id::text, starts_at FROM reminders.appointment WHERE appointment_id = ${id}::uuid`;
  return row;
}

async function email(tx: Prisma.TransactionClient, id: string): Promise<string | null | undefined> {
  const [row] = await tx.$queryRaw<{ email: string | null }[]>`
    SELECT email FROM reminders.contact WHERE patient_id = ${id}::uuid`;
  return row?.email;
}

/** The work, undone afterwards, so that one history can be told again and again. */
async function undone(work: (tx: Prisma.TransactionClient) => Promise<void>): Promise<void> {
  const enough = new Error('enough');
  await prisma
    .$transaction(
      async (tx) => {
        await work(tx);
        throw enough;
      },
      { timeout: 60_000 },
    )
    .catch((error: unknown) => {
      if (error !== enough) throw error;
    });
}

const [first, second, third] = [inHours(30), inHours(60), inHours(90)] as [string, string, string];

type Story = [name: string, tell: (of: AppointmentHistory) => AnyEvent[], startsAt: string | null];

const stories: Story[] = [
  ['booked', (of) => [of.booked(first)], first],
  [
    'moved twice',
    (of) => [of.booked(first), of.rescheduled(second), of.rescheduled(third), of.rescheduled(second)],
    second,
  ],
  ['moved and cancelled', (of) => [of.booked(first), of.rescheduled(second), of.cancelled()], null],
  [
    'cancelled, then its times changed',
    (of) => [of.booked(first), of.cancelled(), of.rescheduled(third, 'CANCELLED')],
    null,
  ],
  ['completed', (of) => [of.booked(first), of.rescheduled(second), of.completed()], null],
  [
    'cancelled and deleted',
    (of) => [of.booked(first), of.rescheduled(second), of.cancelled(), of.deleted()],
    null,
  ],
  ['deleted and made anew', (of) => [of.booked(first), of.deleted(), of.booked(third)], third],
];

describe.each(stories)('an appointment that was %s', (_name, tell, startsAt) => {
  test('is known the same whatever the order in which its events come, also when each comes twice', async () => {
    const history = new AppointmentHistory();
    const events = tell(history);
    const last = events.at(-1);
    for (const order of permutations(events)) {
      await undone(async (tx) => {
        const expected = {
          sequence: last?.metadata.sequence,
          event_id: last?.event_id,
          starts_at: startsAt === null ? null : new Date(startsAt),
        };
        await handleAll(tx, order);
        expect(await appointment(tx, history.id)).toEqual(expected);
        await handleAll(tx, [...order].reverse());
        expect(await appointment(tx, history.id)).toEqual(expected);
      });
    }
  });
});

type Life = [name: string, tell: (of: PatientHistory) => AnyEvent[], email: string | null];

const lives: Life[] = [
  ['moved house', (of) => [of.created('a@example.com'), of.updated('b@example.com')], 'b@example.com'],
  ['was deleted', (of) => [of.created('a@example.com'), of.updated('b@example.com'), of.deleted()], null],
  ['has no address any more', (of) => [of.created('a@example.com'), of.updated('none')], null],
];

test.each(lives)('a patient who %s has one address whatever the order of events', async (_n, tell, known) => {
  const history = new PatientHistory();
  for (const order of permutations(tell(history))) {
    await undone(async (tx) => {
      await handleAll(tx, [...order, ...order]);
      expect(await email(tx, history.id)).toBe(known);
    });
  }
});

test('an address that mail cannot be sent to is told by the patient’s id only', async () => {
  const history = new PatientHistory();
  const log = captureLogger();
  await undone((tx) => handleAll(tx, [history.created(patientMarker)], log.logger));
  expect(log.lines().join('\n')).toContain(history.id);
  expect(log.lines().join('\n')).not.toContain(patientMarker);
});

const appointments = effort(2_000, 10_000);

/** A generator of whole numbers below `below` that gives the same ones in every run. */
function repeatable(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

test(`${appointments.toLocaleString('en')} appointments, told in no order at all, some of it twice, are all known as they are`, async () => {
  const pick = repeatable(4_711);
  const expected = new Map<string, string | null>();
  const events = Array.from({ length: appointments }, (_, index) => {
    const history = new AppointmentHistory(randomUUID(), BigInt(index * 10));
    let startsAt = inHours(pick(1_000));
    const told = [history.booked(startsAt)];
    for (let moves = pick(3); moves > 0; moves -= 1) {
      startsAt = inHours(pick(1_000));
      told.push(history.rescheduled(startsAt));
    }
    const ends = pick(3) === 0;
    if (ends) told.push(history.cancelled());
    if (ends && pick(2) === 0) told.push(history.deleted());
    expected.set(history.id, ends ? null : startsAt);
    return [...told, ...told.slice(0, pick(2))];
  }).flat();
  for (let left = events.length - 1; left > 0; left -= 1) {
    const other = pick(left + 1);
    [events[left], events[other]] = [events[other], events[left]] as [AnyEvent, AnyEvent];
  }
  // Some lanes at a time, as partitions are worked on; an appointment's lane is its own, so that none waits for locks.
  const lanes = Array.from({ length: 4 }, (_, lane) =>
    events.filter(({ metadata }) => Number(BigInt(metadata.sequence) / 10n) % 4 === lane),
  );
  await Promise.all(lanes.map(inChunks));
  const rows = await prisma.$queryRaw<{ id: string; starts_at: Date | null }[]>`
    SELECT appointment_id::text AS id, starts_at FROM reminders.appointment`;
  expect(rows).toHaveLength(appointments);
  const wrong = rows.filter(({ id, starts_at }) => (starts_at?.toISOString() ?? null) !== expected.get(id));
  expect(wrong).toEqual([]);
}, 300_000);

async function inChunks(events: readonly AnyEvent[]): Promise<void> {
  for (let start = 0; start < events.length; start += 500) {
    const chunk = events.slice(start, start + 500);
    await prisma.$transaction((tx) => handleAll(tx, chunk), { timeout: 120_000, maxWait: 120_000 });
  }
}
