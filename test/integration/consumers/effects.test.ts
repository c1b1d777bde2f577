/** Effects outside of the database: what their lease is for, and what becomes of it when something fails. */
import { randomUUID } from 'node:crypto';
import type { Effects } from '../../../src/healthcore/consumers/types';
import { PermanentError } from '../../../src/consumers/errors';
import type { Outcome } from '../../../src/consumers/outcome';
import { processMessage, type ProcessDependencies } from '../../../src/consumers/processMessage';
import type { Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { messageOf, patientCreated } from '../../support/events';
import { silentLogger } from '../../support/logger';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let prisma: PrismaClient;

beforeAll(async () => {
  database = await createTestDatabase();
  const options = {
    databaseUrl: database.url,
    poolSize: 5,
    applicationName: 'effects',
    logger: silentLogger(),
  };
  prisma = createPrismaClient(options);
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

interface Setup {
  readonly event: ReturnType<typeof patientCreated>;
  /** One delivery of the event. */
  readonly deliver: (overrides?: Partial<ProcessDependencies<Prisma.TransactionClient>>) => Promise<Outcome>;
  readonly leases: () => Promise<number>;
}

function setup(effect: NonNullable<Effects['patient.created']>): Setup {
  const consumer = `consumer-${randomUUID()}`;
  const event = patientCreated();
  const dependencies: ProcessDependencies<Prisma.TransactionClient> = {
    consumer,
    handlers: {},
    effects: { 'patient.created': effect },
    catalogue,
    topicPrefix: 'test',
    database: prisma,
    logger: silentLogger(),
    handlerTimeoutMs: 20_000,
    attempt: 1,
  };
  return {
    event,
    deliver: (overrides = {}) => processMessage(messageOf(event, 'test'), { ...dependencies, ...overrides }),
    leases: () => prisma.$executeRaw`
      UPDATE signalbox.effect_lease SET token = token WHERE consumer = ${consumer}`,
  };
}

/** A database in which the transaction of this number fails, from 1 on. */
function failingAt(failing: number): ProcessDependencies<Prisma.TransactionClient>['database'] {
  let transactions = 0;
  return {
    $queryRawUnsafe: (sql) => prisma.$queryRawUnsafe(sql),
    $transaction: async (work, options) => {
      transactions += 1;
      if (transactions === failing) throw new Error('Connection terminated');
      return prisma.$transaction(work, options);
    },
  };
}

test('an effect that fails ends its lease, so that the next attempt need not wait', async () => {
  let runs = 0;
  const { deliver, leases } = setup({
    run: async () => {
      runs += 1;
      if (runs === 1) throw new Error('no');
    },
  });
  expect(await deliver()).toMatchObject({ kind: 'failed', failure: { kind: 'failed' } });
  expect(await leases()).toBe(0);
  expect(await deliver()).toEqual({ kind: 'processed' });
});

test('an effect that could not be noted ends its lease, and is noted without being repeated', async () => {
  let runs = 0;
  const happened = new Set<string>();
  const { deliver, leases } = setup({ run: async () => void (runs += 1) });
  expect(await deliver({ database: failingAt(2), happened })).toMatchObject({ failure: { kind: 'own' } });
  expect(await leases()).toBe(0);
  expect(await deliver({ happened })).toEqual({ kind: 'processed' });
  expect(runs).toBe(1);
});

test('an effect whose lease could not be ended waits until it expires', async () => {
  const { deliver, leases } = setup({ run: () => Promise.reject(new Error('no')) });
  expect(await deliver({ database: failingAt(2) })).toMatchObject({ failure: { kind: 'failed' } });
  expect(await leases()).toBe(1);
  expect(await deliver()).toMatchObject({ failure: { kind: 'own', errorClass: 'LeaseTaken' } });
});

test('an effect that does not end at its deadline is told so, and keeps its lease: it may still be going on', async () => {
  let signal: AbortSignal | undefined;
  const { deliver, leases } = setup({
    run: (_event, context) => {
      ({ signal } = context);
      return new Promise(() => undefined);
    },
  });
  expect(await deliver({ handlerTimeoutMs: 100 })).toMatchObject({
    failure: { errorClass: 'NoAnswerError' },
  });
  expect(signal?.aborted).toBe(true);
  expect(await leases()).toBe(1);
});

test('a question that goes on after a statement of it has failed is not taken as answered', async () => {
  let runs = 0;
  const { deliver, leases } = setup({
    isWanted: async (_event, { tx }) => {
      await tx.$executeRaw`SELECT 1/0`.catch(() => undefined);
      return true;
    },
    run: async () => void (runs += 1),
  });
  expect(await deliver()).toMatchObject({ failure: { kind: 'failed', errorClass: 'AbortedTransaction' } });
  expect(runs).toBe(0);
  expect(await leases()).toBe(0);
});

test('a question that fails is an attempt that fails, for its own reason also while the database is away', async () => {
  const { deliver } = setup({
    isWanted: () => Promise.reject(new PermanentError('the rule forbids it')),
    run: async () => undefined,
  });
  const away: ProcessDependencies<Prisma.TransactionClient>['database'] = {
    ...failingAt(0),
    $queryRawUnsafe: () => Promise.reject(new Error('Connection terminated')),
  };
  const failure = { kind: 'permanent', reason: 'the rule forbids it' };
  expect(await deliver()).toMatchObject({ kind: 'failed', failure });
  expect(await deliver({ database: away })).toMatchObject({ kind: 'failed', failure });
});

test('a delivery that comes while the inbox is being made to forget the event waits for the end of that', async () => {
  let runs = 0;
  const { event, deliver } = setup({ run: async () => void (runs += 1) });
  await deliver();
  let delivery: Promise<Outcome> | undefined;
  await prisma.$transaction(
    async (tx) => {
      await tx.$executeRaw`DELETE FROM signalbox.inbox WHERE event_id = ${event.event_id}::uuid`;
      delivery = deliver();
      for (let waiting = 0; waiting === 0;) {
        const [row] = await prisma.$queryRaw<{ count: number }[]>`
          SELECT count(*)::int AS count FROM pg_stat_activity
          WHERE datname = current_database() AND wait_event_type = 'Lock'`;
        waiting = row?.count ?? 0;
      }
    },
    { timeout: 60_000 },
  );
  expect(await delivery).toEqual({ kind: 'processed' });
  expect(runs).toBe(2);
});
