import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { currentContext } from '../../../src/outbox/context';
import { PermanentError, TransientError } from '../../../src/consumers/errors';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { processMessage, type ProcessDependencies } from '../../../src/consumers/processMessage';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import type { Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { messageOf, patientCreated, patientMarker, rawMessage } from '../../support/events';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let prisma: PrismaClient;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = clientOf(database.url);
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

function clientOf(databaseUrl: string): PrismaClient {
  return createPrismaClient({
    databaseUrl,
    poolSize: 5,
    applicationName: 'consumer',
    logger: silentLogger(),
  });
}

function dependencies(
  handlers: Handlers,
  more: Partial<ProcessDependencies<Prisma.TransactionClient>> = {},
): ProcessDependencies<Prisma.TransactionClient> {
  return {
    consumer: `consumer-${randomUUID()}`,
    handlers,
    catalogue,
    topicPrefix: 'test',
    database: prisma,
    logger: silentLogger(),
    handlerTimeoutMs: 20_000,
    attempt: 1,
    ...more,
  };
}

/** Writes one row, as an effect that can be counted. */
const createPatient: Handlers = {
  'patient.created': async ({ event_id, data }, { tx }) => {
    await tx.patient.create({
      data: { name: data.name, email: `${randomUUID()}@example.com`, clinicalNotes: event_id },
    });
  },
};

const effectsOf = (eventId: string): Promise<number> =>
  prisma.patient.count({ where: { clinicalNotes: eventId } });

async function inboxRows(eventId: string): Promise<number> {
  const rows = await prisma.$queryRaw<{ count: bigint }[]>`
    SELECT count(*) FROM signalbox.inbox WHERE event_id = ${eventId}::uuid`;
  return Number(rows[0]?.count);
}

async function someoneWaitsForALock(): Promise<boolean> {
  const rows = await prisma.$queryRaw<{ waiting: boolean }[]>`
    SELECT count(*) > 0 AS waiting FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  return rows[0]?.waiting === true;
}

describe('an event that is delivered', () => {
  test('has its effect and is noted in the inbox', async () => {
    const event = patientCreated();
    const outcome = await processMessage(messageOf(event, 'test'), dependencies(createPatient));
    expect(outcome).toEqual({ kind: 'processed' });
    expect(await effectsOf(event.event_id)).toBe(1);
    expect(await inboxRows(event.event_id)).toBe(1);
  });

  test('a second time has no second effect', async () => {
    const event = patientCreated();
    const deps = dependencies(createPatient);
    await processMessage(messageOf(event, 'test'), deps);
    expect(await processMessage(messageOf(event, 'test', '1'), deps)).toEqual({ kind: 'duplicate' });
    expect(await effectsOf(event.event_id)).toBe(1);
  });

  test('is processed by each consumer for itself', async () => {
    const event = patientCreated();
    await processMessage(messageOf(event, 'test'), dependencies(createPatient));
    const other = await processMessage(messageOf(event, 'test'), dependencies(createPatient));
    expect(other).toEqual({ kind: 'processed' });
    expect(await effectsOf(event.event_id)).toBe(2);
  });

  test('fifty times at once, to several processes, has one effect', async () => {
    const event = patientCreated();
    const others = [1, 2, 3].map(() => clientOf(database.url));
    const clients = [prisma, ...others];
    const deps = dependencies(createPatient);
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        processMessage(messageOf(event, 'test', String(index)), {
          ...deps,
          database: clients[index % clients.length] ?? prisma,
        }),
      ),
    );
    await Promise.all(others.map((client) => client.$disconnect()));
    const kinds = outcomes.map((outcome) => outcome.kind);
    expect(kinds.filter((kind) => kind === 'processed')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(49);
    expect(await effectsOf(event.event_id)).toBe(1);
  });

  test('while its first copy is still being processed waits, and takes over when that fails', async () => {
    const event = patientCreated();
    const deps = dependencies(createPatient);
    const inHand = new EventEmitter();
    const first = processMessage(messageOf(event, 'test'), {
      ...deps,
      handlers: {
        'patient.created': async () => {
          inHand.emit('started');
          await once(inHand, 'fail');
          throw new Error('no');
        },
      },
    });
    await once(inHand, 'started');
    const second = processMessage(messageOf(event, 'test', '1'), deps);
    await waitFor(someoneWaitsForALock, { what: 'the second copy to wait for the first' });
    inHand.emit('fail');
    expect(await first).toMatchObject({ kind: 'failed' });
    expect(await second).toEqual({ kind: 'processed' });
    expect(await effectsOf(event.event_id)).toBe(1);
  });

  test('runs its handler in the context of the request that caused it', async () => {
    const event = patientCreated({ correlation_id: 'request-7', actor: 'account-7', traceparent: null });
    let seen: unknown;
    const handlers: Handlers = { 'patient.created': async () => void (seen = currentContext()) };
    await processMessage(messageOf(event, 'test'), dependencies(handlers));
    expect(seen).toEqual({
      correlationId: 'request-7',
      causationId: event.event_id,
      actor: 'account-7',
      traceparent: undefined,
    });
  });

  test('tells its handler the attempt and where the message lies', async () => {
    let seen: unknown;
    const handlers: Handlers = {
      'patient.created': async (_event, { attempt, message }) => void (seen = { attempt, message }),
    };
    await processMessage(messageOf(patientCreated(), 'test', '12'), dependencies(handlers, { attempt: 3 }));
    expect(seen).toEqual({
      attempt: 3,
      message: { topic: 'test.patient.created', partition: 0, offset: '12', timestampMs: 1_767_639_600_000 },
    });
  });
});

describe('a handler that fails', () => {
  const failing = (error: unknown): Handlers => ({
    'patient.created': async (event, context) => {
      await createPatient['patient.created']?.(event, context);
      throw error;
    },
  });

  test('leaves neither its effect nor an inbox row', async () => {
    const event = patientCreated();
    const outcome = await processMessage(messageOf(event, 'test'), dependencies(failing(new Error('no'))));
    expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'failed', errorClass: 'Error' } });
    expect(await effectsOf(event.event_id)).toBe(0);
    expect(await inboxRows(event.event_id)).toBe(0);
  });

  test.each([
    ['PermanentError', new PermanentError('the rule forbids it'), 'permanent', 'the rule forbids it'],
    ['TransientError', new TransientError('the mail server is busy'), 'failed', 'the mail server is busy'],
    ['an unknown error', new RangeError(`bad ${patientMarker}`), 'failed', 'the handler failed'],
  ])('with %s is classified by it', async (_name, error, kind, reason) => {
    const outcome = await processMessage(messageOf(patientCreated(), 'test'), dependencies(failing(error)));
    expect(outcome).toMatchObject({ kind: 'failed', failure: { kind, reason, errorClass: error.name } });
  });

  test('never gives a reason that quotes a value of the event', async () => {
    const error = new PermanentError(`no mail to ${patientMarker}@example.com for ${patientMarker}`);
    const outcome = await processMessage(messageOf(patientCreated(), 'test'), dependencies(failing(error)));
    expect(outcome).toMatchObject({ failure: { reason: 'no mail to [hidden] for [hidden]' } });
  });

  test('in a statement and goes on as if nothing had been is not taken as processed', async () => {
    const event = patientCreated();
    const handlers: Handlers = {
      'patient.created': async (created, context) => {
        await createPatient['patient.created']?.(created, context);
        await context.tx.$executeRaw`SELECT 1/0`.catch(() => undefined);
      },
    };
    const outcome = await processMessage(messageOf(event, 'test'), dependencies(handlers));
    expect(outcome).toMatchObject({
      kind: 'failed',
      failure: { kind: 'failed', errorClass: 'AbortedTransaction' },
    });
    expect(await inboxRows(event.event_id)).toBe(0);
  });

  test('only at COMMIT is not taken as processed', async () => {
    await prisma.$executeRawUnsafe(
      'CREATE TABLE IF NOT EXISTS late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)',
    );
    const event = patientCreated();
    const handlers: Handlers = {
      'patient.created': async (_event, { tx }) =>
        void (await tx.$executeRaw`INSERT INTO late VALUES (1), (1)`),
    };
    const outcome = await processMessage(messageOf(event, 'test'), dependencies(handlers));
    expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'failed' } });
    expect(await inboxRows(event.event_id)).toBe(0);
  });

  test('because it takes too long is told so, and a longer time-out lets it through', async () => {
    const slow: Handlers = {
      'patient.created': async (_event, { tx }) => {
        await tx.$executeRaw`SELECT pg_sleep(0.4)`;
        await tx.$executeRaw`SELECT 1`;
      },
    };
    const tooShort = dependencies(slow, { handlerTimeoutMs: 200 });
    expect(await processMessage(messageOf(patientCreated(), 'test'), tooShort)).toMatchObject({
      kind: 'failed',
      failure: { kind: 'failed', reason: 'the handler failed (P2028)' },
    });
    expect(await processMessage(messageOf(patientCreated(), 'test'), dependencies(slow))).toEqual({
      kind: 'processed',
    });
  });
});

describe('a message that is no event', () => {
  const event = patientCreated();
  const wrong = (change: object): string => JSON.stringify({ ...event, ...change });
  const topic = 'test.patient.created';

  test.each([
    ['no value', rawMessage(topic, null), 'the message has no value'],
    ['no JSON', rawMessage(topic, `{"name":"${patientMarker}`), 'the value is not JSON'],
    ['no UTF-8', rawMessage(topic, Buffer.from([0x22, 0xff, 0xfe, 0x22])), 'the value is not UTF-8'],
    [
      'an unknown type',
      rawMessage(topic, wrong({ event_type: patientMarker })),
      'event_type: not in the catalogue',
    ],
    ['a bad id', rawMessage(topic, wrong({ event_id: patientMarker })), 'event_id: invalid_format'],
    [
      'a bad field',
      rawMessage(topic, wrong({ data: { ...event.data, name: 7 } })),
      'data.name: invalid_type',
    ],
    ['another topic', rawMessage('test.patient.deleted', wrong({})), 'event_type: belongs in another topic'],
  ])('(%s) is invalid at once, for a reason without values', async (_name, message, reason) => {
    const outcome = await processMessage(message, dependencies(createPatient));
    expect(outcome).toMatchObject({
      kind: 'failed',
      failure: { kind: 'invalid', errorClass: 'InvalidMessage', reason },
    });
  });
});

describe('while the database is away', () => {
  test('an attempt fails through our own trouble, not the message', async () => {
    const away = clientOf('postgresql://nobody:nothing@127.0.0.1:1/none');
    const outcome = await processMessage(
      messageOf(patientCreated(), 'test'),
      dependencies(createPatient, { database: away }),
    );
    expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'own' } });
    await away.$disconnect();
  });

  test.each(['before the next statement', 'during a statement', 'before COMMIT'])(
    'a connection that is cut %s fails through our own trouble',
    async (moment) => {
      const event = patientCreated();
      const handlers: Handlers = {
        'patient.created': async (_event, { tx }) => {
          const [row] = await tx.$queryRaw<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
          const cut = prisma.$queryRaw`SELECT pg_terminate_backend(${row?.pid}::int)::text`;
          if (moment === 'during a statement') {
            await Promise.all([tx.$executeRaw`SELECT pg_sleep(5)`, cut]);
          }
          await cut;
          if (moment === 'before the next statement') await tx.$executeRaw`SELECT 1`;
        },
      };
      const outcome = await processMessage(messageOf(event, 'test'), dependencies(handlers));
      expect(outcome).toMatchObject({ kind: 'failed', failure: { kind: 'own' } });
      expect(await inboxRows(event.event_id)).toBe(0);
    },
  );
});
