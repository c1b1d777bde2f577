/** Messages that share a transaction: what each of them would have had by itself, each still has. */
import { randomUUID } from 'node:crypto';
import { Registry } from 'prom-client';
import { AttemptsByPartition } from '../../../src/consumers/attempts';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { claimEvents } from '../../../src/consumers/inbox';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { settleMessage, type SettleDependencies } from '../../../src/consumers/settleMessage';
import { settleTogether } from '../../../src/consumers/settleTogether';
import type { SharedTransactions } from '../../../src/healthcore/consumers/types';
import { type EventEnvelope, catalogue } from '../../../src/healthcore/catalogue';
import type { Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import type { ReceivedMessage } from '../../../src/kafka/messages/readMessage';
import { replayHeaders } from '../../../src/kafka/deadLetters/replay';
import { currentContext } from '../../../src/outbox/context';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { messageOf, patientCreated, rawMessage } from '../../support/events';
import { silentLogger } from '../../support/logger';

let database: TestDatabase;
let prisma: PrismaClient;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = clientOf(database.url);
  // A second effect of an event is a second row.
  await prisma.$executeRaw`CREATE TABLE effects (consumer text, event_id text)`;
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

const clientOf = (databaseUrl: string): PrismaClient =>
  createPrismaClient({ databaseUrl, poolSize: 8, applicationName: 'together', logger: silentLogger() });

type Patient = EventEnvelope<'patient.created'>;
type Dependencies = SettleDependencies<Prisma.TransactionClient> & { shared?: SharedTransactions };

interface Setup {
  readonly name: string;
  readonly registry: Registry;
  readonly dependencies: Dependencies;
}

/** A consumer whose handler writes a row for each event, after doing `more`. */
function setup(
  more: (event: Patient) => Promise<void> = async () => undefined,
  overrides: object = {},
): Setup {
  const name = `consumer-${randomUUID()}`;
  const registry = new Registry();
  const handlers: Handlers = {
    'patient.created': async (event, { tx }) => {
      await tx.$executeRaw`INSERT INTO effects VALUES (${name}, ${event.event_id})`;
      await more(event);
    },
  };
  const dependencies: Dependencies = {
    consumer: name,
    group: name,
    handlers,
    catalogue,
    topicPrefix: 'test',
    database: prisma,
    logger: silentLogger(),
    handlerTimeoutMs: 20_000,
    policy: { retryLimit: 3, retryMaxMs: 100 },
    attempts: new AttemptsByPartition(),
    publishDeadLetter: async () => {
      throw new Error('nothing here makes a dead letter');
    },
    metrics: createConsumerMetrics(registry),
    shared: { most: 100, longestMs: 60_000 },
    ...overrides,
  };
  return { name, registry, dependencies };
}

const messagesOf = (events: readonly Patient[]): ReceivedMessage[] =>
  events.map((event, offset) => messageOf(event, 'test', String(offset)));

const someEvents = (count: number): Patient[] => Array.from({ length: count }, () => patientCreated());

const idsOf = (events: readonly Patient[]): string[] => events.map(({ event_id }) => event_id);

/** In the order in which they were had. */
async function effectsOf(name: string): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ event_id: string }[]>`
    SELECT event_id FROM effects WHERE consumer = ${name} ORDER BY ctid`;
  return rows.map((row) => row.event_id);
}

async function inboxOf(name: string): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ event_id: string }[]>`
    SELECT event_id::text FROM signalbox.inbox WHERE consumer = ${name}`;
  return rows.map((row) => row.event_id);
}

const never = (): boolean => false;

test('all have their effects in order, in one transaction, and each is noted in the inbox', async () => {
  const events = someEvents(10);
  const transactions = new Set<unknown>();
  const { name, dependencies } = setup();
  const handlers: Handlers = {
    'patient.created': async (event, context) => {
      await (dependencies.handlers as Handlers)['patient.created']?.(event, context);
      const [row] = await context.tx.$queryRaw<{ id: string }[]>`SELECT pg_current_xact_id()::text AS id`;
      transactions.add(row?.id);
    },
  };
  expect(await settleTogether(messagesOf(events), { ...dependencies, handlers }, never)).toBe(10);
  expect(await effectsOf(name)).toEqual(idsOf(events));
  expect(new Set(await inboxOf(name))).toEqual(new Set(idsOf(events)));
  expect(transactions.size).toBe(1);
});

test('repetitions among them, and of what was processed before, have no second effect', async () => {
  const [a, b, c, d, e] = someEvents(5) as [Patient, Patient, Patient, Patient, Patient];
  const { name, registry, dependencies } = setup();
  await settleTogether(messagesOf([a, b]), dependencies, never);
  const upper = (event: Patient): Patient => ({ ...event, event_id: event.event_id.toUpperCase() });
  expect(await settleTogether(messagesOf([b, c, a, c, upper(c), d, upper(e)]), dependencies, never)).toBe(7);
  expect(await effectsOf(name)).toEqual(idsOf([a, b, c, d, upper(e)]));
  expect(await registry.metrics()).toMatch(/outcome="processed"\} 5\n.*outcome="duplicate"\} 4\n/);
});

test('each handler runs in the context of its own event', async () => {
  const events = [patientCreated({ correlation_id: 'one' }), patientCreated({ correlation_id: 'two' })];
  const seen: unknown[] = [];
  const { dependencies } = setup(async () => void seen.push(currentContext()));
  await settleTogether(messagesOf(events), dependencies, never);
  expect(seen).toMatchObject([
    { correlationId: 'one', causationId: events[0]?.event_id },
    { correlationId: 'two', causationId: events[1]?.event_id },
  ]);
});

test('when one fails those before it have their effect, and it is left to be handled by itself', async () => {
  const events = someEvents(6);
  let failures = 0;
  const { name, dependencies } = setup(async (event) => {
    if (event.event_id !== events[3]?.event_id) return;
    failures += 1;
    throw new Error('no');
  });
  const messages = messagesOf(events);
  expect(await settleTogether(messages, dependencies, never)).toBe(3);
  expect(await effectsOf(name)).toEqual(idsOf(events.slice(0, 3)));
  expect(await inboxOf(name)).toHaveLength(3);
  expect(await settleTogether(messages.slice(3), dependencies, never)).toBe(0);
  expect(failures).toBe(1);
  expect(dependencies.attempts.of(messages[3] as ReceivedMessage).attempts).toBe(0);
  expect(await settleTogether(messages.slice(4), dependencies, never)).toBe(2);
  expect(await effectsOf(name)).toEqual(idsOf(events.filter((_, index) => index !== 3)));
});

test('one whose handler swallows an error is not taken as processed, and the others are', async () => {
  const events = someEvents(8);
  const { name, dependencies } = setup();
  const handlers: Handlers = {
    'patient.created': async (event, context) => {
      await (dependencies.handlers as Handlers)['patient.created']?.(event, context);
      if (event.event_id === events[5]?.event_id)
        await context.tx.$executeRaw`SELECT 1/0`.catch(() => undefined);
    },
  };
  const messages = messagesOf(events);
  const own = { ...dependencies, handlers };
  let next = 0;
  for (let first = messages[0]; first; first = messages[next]) {
    const done = await settleTogether(messages.slice(next), own, never);
    if (done === 0 && (await settleMessage(first, own, new AbortController().signal)).kind === 'again') break;
    next += Math.max(done, 1);
  }
  expect(next).toBe(5);
  expect(await effectsOf(name)).toEqual(idsOf(events.slice(0, 5)));
  expect(await inboxOf(name)).not.toContain(events[5]?.event_id);
});

test('a message that is no event ends what can be done together', async () => {
  const events = someEvents(3);
  const messages = [...messagesOf(events), rawMessage('test.patient.created', 'oops', { offset: '3' })];
  const { name, dependencies } = setup();
  expect(await settleTogether(messages, dependencies, never)).toBe(3);
  expect(await settleTogether(messages.slice(3), dependencies, never)).toBe(0);
  expect(await effectsOf(name)).toEqual(idsOf(events));
});

test('a replay for another group has no effect, one for this group has', async () => {
  const events = someEvents(3);
  const { name, dependencies } = setup();
  const replayed = (event: Patient, group: string): ReceivedMessage => ({
    ...messageOf(event, 'test'),
    headers: { [replayHeaders.group]: Buffer.from(group) },
  });
  const [one, two, other] = events;
  if (!one || !two || !other) throw new Error('there are three');
  const notOurs = replayed(other, 'another-group');
  const messages = [replayed(one, name), replayed(two, name), notOurs];
  expect(await settleTogether(messages, dependencies, never)).toBe(2);
  const { signal } = new AbortController();
  expect(await settleMessage(notOurs, dependencies, signal)).toEqual({ kind: 'done' });
  expect(await effectsOf(name)).toEqual([one.event_id, two.event_id]);
  expect(await inboxOf(name)).not.toContain(other.event_id);
});

test('told to end it commits what it has, and leaves no claim on the others', async () => {
  const events = someEvents(5);
  let handled = 0;
  const { name, dependencies } = setup(async () => void (handled += 1));
  expect(await settleTogether(messagesOf(events), dependencies, () => handled === 2)).toBe(2);
  expect(await effectsOf(name)).toEqual(idsOf(events.slice(0, 2)));
  expect(new Set(await inboxOf(name))).toEqual(new Set(idsOf(events.slice(0, 2))));
});

test('handlers that take long do not pile up in one transaction', async () => {
  const { name, dependencies } = setup(() => new Promise((resolve) => setTimeout(resolve, 100)));
  const shared = { most: 100, longestMs: 250 };
  const done = await settleTogether(messagesOf(someEvents(50)), { ...dependencies, shared }, never);
  expect(done).toBeGreaterThanOrEqual(1);
  expect(done).toBeLessThanOrEqual(5);
  expect(await effectsOf(name)).toHaveLength(done);
});

describe('a function for several events', () => {
  const several = (name: () => string, failing?: string): SharedTransactions => ({
    most: 100,
    handle: async (events, tx) => {
      for (const { event_id } of events) {
        await tx.$executeRaw`INSERT INTO effects VALUES (${name()}, ${event_id})`;
        if (event_id === failing) throw new Error('no');
      }
    },
  });

  test('is given the new ones, in order', async () => {
    const [a, b, c] = someEvents(3) as [Patient, Patient, Patient];
    const { name, dependencies } = setup();
    const shared = several(() => name);
    await settleTogether(messagesOf([a, a]), { ...dependencies, shared }, never);
    expect(await settleTogether(messagesOf([c, a, b, c]), { ...dependencies, shared }, never)).toBe(4);
    expect(await effectsOf(name)).toEqual(idsOf([a, c, b]));
  });

  test('that fails has had no effect; smaller parts are tried', async () => {
    const events = someEvents(8);
    const { name, dependencies } = setup();
    const shared = several(() => name, events[5]?.event_id);
    const messages = messagesOf(events);
    expect(await settleTogether(messages, { ...dependencies, shared }, never)).toBe(4);
    expect(await settleTogether(messages.slice(4), { ...dependencies, shared }, never)).toBe(0);
    expect(await effectsOf(name)).toEqual(idsOf(events.slice(0, 4)));
  });
});

test('processes that claim the same events in opposite orders do not deadlock, and each is claimed once', async () => {
  // A pause before each row makes it certain that claims in opposite orders would meet in the middle.
  await prisma.$executeRaw`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END'`;
  await prisma.$executeRaw`CREATE TRIGGER dawdle BEFORE INSERT ON signalbox.inbox
    FOR EACH ROW WHEN (NEW.consumer = 'crowd') EXECUTE FUNCTION dawdle()`;
  const ids = idsOf(someEvents(100));
  const claim = (order: readonly string[]): Promise<number> =>
    prisma.$transaction(async (tx) => (await claimEvents(tx, 'crowd', order)).size, { timeout: 60_000 });
  const orders = [ids, [...ids].reverse(), ids, [...ids].reverse()];
  const counts = await Promise.all(orders.map(claim));
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(100);
});

test('simultaneous deliveries of the same messages to several processes have one effect each', async () => {
  const events = someEvents(40);
  const { name, dependencies } = setup();
  const others = [1, 2].map(() => clientOf(database.url));
  const clients = [prisma, ...others];
  await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const client = clients[index % clients.length] ?? prisma;
      const own = { ...dependencies, attempts: new AttemptsByPartition(), database: client };
      const messages = messagesOf(index % 2 === 0 ? events : [...events].reverse());
      for (let next = 0; next < messages.length;)
        next += await settleTogether(messages.slice(next), own, never);
    }),
  );
  await Promise.all(others.map((client) => client.$disconnect()));
  expect([...(await effectsOf(name))].sort()).toEqual(idsOf(events).sort());
}, 60_000);

test('while the database is away nothing is done together', async () => {
  const away = clientOf('postgresql://nobody:nothing@127.0.0.1:1/none');
  const { dependencies } = setup(undefined, { database: away });
  expect(await settleTogether(messagesOf(someEvents(3)), dependencies, never)).toBe(0);
  await away.$disconnect();
});
