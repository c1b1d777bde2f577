/** Events that handlers put off: kept whole in Postgres, tried again at their time, in order, by one process at a time. */
import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { Registry } from 'prom-client';
import { AttemptsByPartition } from '../../../src/consumers/attempts';
import {
  PermanentError,
  PostponeError,
  TransientError,
  UnavailableError,
} from '../../../src/consumers/errors';
import { forgetEvents } from '../../../src/consumers/forgetEvents';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { trimInbox } from '../../../src/consumers/inboxJanitor';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { claimDue } from '../../../src/consumers/postponed/claim';
import { createPostponedWorker, retryDue } from '../../../src/consumers/postponed/worker';
import { settleMessage, type SettleDependencies } from '../../../src/consumers/settleMessage';
import { settleTogether } from '../../../src/consumers/settleTogether';
import { type EventEnvelope, catalogue } from '../../../src/healthcore/catalogue';
import type { Prisma, PrismaClient } from '../../../src/generated/prisma/client';
import { type DeadLetter, deadLetterMessage } from '../../../src/kafka/deadLetters/deadLetter';
import type { ReceivedMessage } from '../../../src/kafka/messages/readMessage';
import { createPool } from '../../../src/shared/database';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { messageOf, patientCreated, patientMarker } from '../../support/events';
import { captureLogger, silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';

let database: TestDatabase;
let prisma: PrismaClient;
const signal = new AbortController().signal;

beforeAll(async () => {
  database = await createTestDatabase();
  prisma = clientOf(database.url);
  // A second effect of an event is a second row.
  await prisma.$executeRaw`CREATE TABLE effects (consumer text, event_id text, nr int GENERATED ALWAYS AS IDENTITY)`;
});

afterAll(async () => {
  await prisma.$disconnect();
  await database.assertNoLeaks();
  await database.drop();
});

const clientOf = (databaseUrl: string): PrismaClient =>
  createPrismaClient({ databaseUrl, poolSize: 8, applicationName: 'postponed', logger: silentLogger() });

type Patient = EventEnvelope<'patient.created'>;
type Step = (event: Patient, attempt: number) => void | Promise<void>;

interface Setup {
  readonly name: string;
  readonly registry: Registry;
  readonly dependencies: SettleDependencies<Prisma.TransactionClient>;
  readonly letters: DeadLetter[];
  readonly deliver: (...events: Patient[]) => Promise<string[]>;
  /** Lets all that is postponed be due, and tries it until nothing is left to try. */
  readonly retryAll: () => Promise<void>;
  readonly effects: () => Promise<string[]>;
}

/** A consumer whose handler writes a row for each event and then does `step`, which may throw. */
function setup(step: Step, overrides: Partial<SettleDependencies<Prisma.TransactionClient>> = {}): Setup {
  const name = `consumer-${randomUUID()}`;
  const registry = new Registry();
  const letters: DeadLetter[] = [];
  const handlers: Handlers = {
    'patient.created': async (event, { tx, attempt }) => {
      await tx.$executeRaw`INSERT INTO effects (consumer, event_id) VALUES (${name}, ${event.event_id})`;
      await step(event, attempt);
    },
  };
  const dependencies: SettleDependencies<Prisma.TransactionClient> = {
    consumer: name,
    group: name,
    handlers,
    catalogue,
    topicPrefix: 'test',
    database: prisma,
    logger: silentLogger(),
    handlerTimeoutMs: 20_000,
    policy: { retryLimit: 2, retryMaxMs: 100 },
    attempts: new AttemptsByPartition(),
    publishDeadLetter: async (letter) => void letters.push(letter),
    metrics: createConsumerMetrics(registry),
    ...overrides,
  };
  const deliver = async (...events: Patient[]): Promise<string[]> => {
    const kinds: string[] = [];
    for (const [offset, event] of events.entries())
      kinds.push((await settleMessage(messageOf(event, 'test', String(offset)), dependencies, signal)).kind);
    return kinds;
  };
  const retryAll = async (): Promise<void> => {
    await due(name);
    while ((await retryDue({ dependencies }, signal)) > 0);
  };
  return { name, registry, dependencies, letters, deliver, retryAll, effects: () => effectsOf(name) };
}

const later: Step = () => {
  throw new PostponeError('the ward is closed', { afterMs: 3_600_000 });
};

/** Puts the first attempts off, then lets the event through. */
const putOff =
  (which: (event: Patient) => boolean = () => true, times = 1): Step =>
  (event, attempt) => {
    if (which(event) && attempt <= times) throw new PostponeError('not now');
  };

const is =
  (wanted: Patient) =>
  (event: Patient): boolean =>
    event.event_id === wanted.event_id;

/** Events of one aggregate, in order. */
function history(count: number): Patient[] {
  const aggregate_id = randomUUID();
  return Array.from({ length: count }, (_, index) =>
    patientCreated({ aggregate_id, sequence: String(index + 9) }),
  );
}

async function effectsOf(name: string): Promise<string[]> {
  const rows = await prisma.$queryRaw<{ event_id: string }[]>`
    SELECT event_id FROM effects WHERE consumer = ${name} ORDER BY nr`;
  return rows.map((row) => row.event_id);
}

interface Row {
  readonly event_id: string;
  readonly reason: string | null;
  readonly attempts: number;
  readonly given_up: boolean;
  readonly waits: number;
}

const rowsOf = (name: string): Promise<Row[]> =>
  prisma.$queryRaw<Row[]>`
    SELECT event_id::text, reason, attempts, given_up, extract(epoch FROM due_at - now())::float8 AS waits
    FROM signalbox.postponed_event WHERE consumer = ${name} ORDER BY arrival`;

const due = (name: string): Promise<number> =>
  prisma.$executeRaw`
    UPDATE signalbox.postponed_event SET due_at = now() WHERE consumer = ${name} AND due_at < 'infinity'`;

const idsOf = (events: readonly Patient[]): string[] => events.map(({ event_id }) => event_id);

async function inboxKnows(name: string, event: Patient): Promise<boolean> {
  const rows = await prisma.$queryRaw<unknown[]>`
    SELECT 1 FROM signalbox.inbox WHERE consumer = ${name} AND event_id = ${event.event_id}::uuid`;
  return rows.length === 1;
}

describe('an event that its handler puts off', () => {
  test('is put aside with its inbox row, its handler’s writes are taken back, and the partition goes on', async () => {
    const [event, other] = [patientCreated(), patientCreated()];
    const { name, deliver, effects } = setup((current) =>
      is(event)(current) ? later(current, 1) : undefined,
    );
    expect(await deliver(event, other)).toEqual(['done', 'done']);
    expect(await effects()).toEqual([other.event_id]);
    expect(await inboxKnows(name, event)).toBe(true);
    const [row] = await rowsOf(name);
    expect(row).toMatchObject({ event_id: event.event_id, reason: 'the ward is closed', attempts: 1 });
    expect(row?.waits).toBeGreaterThan(3_500);
  });

  test('is tried at its time and not before, and has its effect once however often it is delivered', async () => {
    const event = patientCreated();
    const { name, dependencies, deliver, retryAll, effects } = setup(putOff());
    await deliver(event, event);
    expect(await retryDue({ dependencies }, signal)).toBe(0);
    expect(await deliver(event)).toEqual(['done']);
    await retryAll();
    expect(await effects()).toEqual([event.event_id]);
    expect(await rowsOf(name)).toEqual([]);
    await deliver(event);
    expect(await effects()).toEqual([event.event_id]);
  });

  test('without a time of its own waits longer each time, from a minute to an hour', async () => {
    const { name, dependencies, deliver } = setup(putOff(() => true, 100));
    await deliver(patientCreated());
    const waits: number[] = [];
    for (let attempt = 0; attempt < 9; attempt += 1) {
      waits.push((await rowsOf(name))[0]?.waits ?? 0);
      await due(name);
      await retryDue({ dependencies }, signal);
    }
    expect(waits[0]).toBeGreaterThan(25);
    expect(waits[0]).toBeLessThanOrEqual(60);
    expect(waits[2]).toBeGreaterThan(100);
    expect(waits[8]).toBeGreaterThan(1_700);
    expect(waits[8]).toBeLessThanOrEqual(3_600);
  });

  test('by an error of its own that the consumer classifies is put aside as well', async () => {
    class WardClosed extends Error {}
    const event = patientCreated();
    const { name, deliver } = setup(
      () => {
        throw new WardClosed(patientMarker);
      },
      { classify: (error) => (error instanceof WardClosed ? new PostponeError('closed') : undefined) },
    );
    expect(await deliver(event)).toEqual(['done']);
    expect(await rowsOf(name)).toMatchObject([{ event_id: event.event_id, reason: 'closed' }]);
  });

  test('while Postgres cannot be written is offered again by its partition', async () => {
    const event = patientCreated();
    const { name, dependencies, deliver } = setup(later);
    let transactions = 0;
    const failing: SettleDependencies<Prisma.TransactionClient> = {
      ...dependencies,
      database: {
        $queryRawUnsafe: (sql) => prisma.$queryRawUnsafe(sql),
        $transaction: async (work, options) => {
          transactions += 1;
          if (transactions > 1) throw new Error('Connection terminated');
          return prisma.$transaction(work, options);
        },
      },
    };
    expect(await settleMessage(messageOf(event, 'test'), failing, signal)).toMatchObject({ kind: 'again' });
    expect(await rowsOf(name)).toEqual([]);
    expect(await inboxKnows(name, event)).toBe(false);
    expect(await deliver(event)).toEqual(['done']);
    expect(await rowsOf(name)).toHaveLength(1);
  });

  test('that was made to be processed again meanwhile is still processed once', async () => {
    const event = patientCreated();
    const { name, deliver, retryAll, effects } = setup(putOff());
    await deliver(event);
    const pool = createPool({
      databaseUrl: database.url,
      poolSize: 1,
      applicationName: 'ops',
      logger: silentLogger(),
    });
    expect(await forgetEvents(pool, name, [event.event_id])).toBe(1);
    expect(await deliver(event)).toEqual(['done']);
    await retryAll();
    expect(await effects()).toEqual([event.event_id]);
    await pool.end();
  });

  test('keeps its inbox row however long it waits, and from its effect on for as long as others', async () => {
    const event = patientCreated();
    const { name, deliver, retryAll } = setup(putOff());
    await deliver(event);
    await prisma.$executeRaw`UPDATE signalbox.inbox SET processed_at = now() - interval '1 year'`;
    const pool = createPool({
      databaseUrl: database.url,
      poolSize: 1,
      applicationName: 'ops',
      logger: silentLogger(),
    });
    await trimInbox(pool, 1_000_000);
    expect(await inboxKnows(name, event)).toBe(true);
    await retryAll();
    await trimInbox(pool, 1_000_000);
    expect(await inboxKnows(name, event)).toBe(true);
    await pool.end();
  });
});

describe('later events of the same aggregate', () => {
  test('wait behind it, are handled in their order after it, and others pass', async () => {
    const [first, second, third] = history(3) as [Patient, Patient, Patient];
    const other = patientCreated();
    const { name, deliver, retryAll, effects } = setup(putOff(is(first), 2));
    expect(await deliver(first, second, other, third)).toEqual(['done', 'done', 'done', 'done']);
    expect(await effects()).toEqual([other.event_id]);
    await retryAll();
    expect(await effects()).toEqual([other.event_id]);
    await retryAll();
    expect(await effects()).toEqual(idsOf([other, first, second, third]));
    expect(await rowsOf(name)).toEqual([]);
  });

  test('go on when an operator discards it, or when it was done with in the moment in which they were put aside', async () => {
    const [first, second, third] = history(3) as [Patient, Patient, Patient];
    const { name, dependencies, deliver, effects } = setup(putOff(is(first)));
    await deliver(first, second, third);
    await prisma.$executeRaw`DELETE FROM signalbox.postponed_event WHERE event_id = ${first.event_id}::uuid`;
    expect(await retryDue({ dependencies }, signal)).toBe(0);
    const worker = createPostponedWorker({ dependencies, intervalMs: 20 });
    await worker.start();
    await waitFor(async () => (await rowsOf(name)).length === 0, { what: 'those behind it' });
    await worker.stop();
    expect(await effects()).toEqual(idsOf([second, third]));
  });

  test('that are ten thousand make no difference to what is due', async () => {
    const [first, second] = history(2) as [Patient, Patient];
    const other = patientCreated();
    const { name, dependencies, deliver, effects } = setup(putOff((event) => !is(second)(event)));
    await deliver(first, second, other);
    await prisma.$executeRaw`
      INSERT INTO signalbox.postponed_event (consumer, event_id, event_type, aggregate_type, aggregate_id, sequence,
        topic, partition, "offset", timestamp_ms, value, headers, due_at, attempts)
      SELECT consumer, gen_random_uuid(), event_type, aggregate_type, aggregate_id, sequence + nr,
        topic, partition, "offset", timestamp_ms, value, headers, due_at, attempts
      FROM signalbox.postponed_event, generate_series(1, 10000) AS nr WHERE event_id = ${second.event_id}::uuid`;
    await prisma.$executeRaw`
      UPDATE signalbox.postponed_event SET due_at = now() WHERE event_id = ${other.event_id}::uuid`;
    const begun = performance.now();
    expect(await retryDue({ dependencies }, signal)).toBe(1);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(await effects()).toEqual([other.event_id]);
    await prisma.$executeRaw`DELETE FROM signalbox.postponed_event WHERE consumer = ${name}`;
  });

  test('pass it where the consumer says so', async () => {
    const [first, second] = history(2) as [Patient, Patient];
    const { deliver, retryAll, effects } = setup(putOff(is(first)), { laterEvents: 'pass' });
    await deliver(first, second);
    expect(await effects()).toEqual([second.event_id]);
    await retryAll();
    expect(await effects()).toEqual(idsOf([second, first]));
  });

  test('do not keep an earlier one waiting that another topic brings after them', async () => {
    const [first, second] = history(2) as [Patient, Patient];
    const { deliver, retryAll, effects } = setup(putOff(is(second)));
    await deliver(second, first);
    expect(await effects()).toEqual([first.event_id]);
    await retryAll();
    expect(await effects()).toEqual(idsOf([first, second]));
  });

  test('that arrive while it is being tried wait for its end', async () => {
    const [first, second] = history(2) as [Patient, Patient];
    const moment = new EventEmitter();
    const { name, dependencies, deliver, effects } = setup(async (event, attempt) => {
      if (!is(first)(event)) return;
      if (attempt === 1) throw new PostponeError('not now');
      moment.emit('trying');
      await once(moment, 'go on');
    });
    await deliver(first);
    await due(name);
    const trying = once(moment, 'trying');
    const retrying = retryDue({ dependencies }, signal);
    await trying;
    expect(await deliver(second)).toEqual(['done']);
    expect(await effects()).toEqual([]);
    moment.emit('go on');
    await retrying;
    await retryDue({ dependencies }, signal);
    expect(await effects()).toEqual(idsOf([first, second]));
  });

  test('that put themselves off in their turn keep those after them waiting', async () => {
    const [first, second, third] = history(3) as [Patient, Patient, Patient];
    const { deliver, retryAll, effects } = setup(putOff((event) => !is(third)(event)));
    await deliver(first, second, third);
    await retryAll();
    await retryAll();
    expect(await effects()).toEqual(idsOf([first, second, third]));
  });

  test('are held back in shared transactions too, and the messages before them take effect', async () => {
    const [first, second, third] = history(3) as [Patient, Patient, Patient];
    const [before, after] = [patientCreated(), patientCreated()];
    const { dependencies, retryAll, effects } = setup(putOff(is(first)));
    const messages = [before, first, second, after, third].map((event, offset) =>
      messageOf(event, 'test', String(offset)),
    );
    await workThrough(messages, dependencies);
    expect(await effects()).toEqual(idsOf([before, after]));
    await retryAll();
    expect(await effects()).toEqual(idsOf([before, after, first, second, third]));
  });
});

/** As kafka/groups/workBatch.ts does: several at a time where that is possible, one by itself where it is not. */
async function workThrough(
  messages: readonly ReceivedMessage[],
  dependencies: SettleDependencies<Prisma.TransactionClient>,
): Promise<void> {
  const shared = { most: 100, longestMs: 60_000 };
  for (let next = 0; next < messages.length;) {
    const rest = messages.slice(next);
    const done = rest.length > 1 ? await settleTogether(rest, { ...dependencies, shared }, () => false) : 0;
    if (done === 0)
      expect(await settleMessage(rest[0] as ReceivedMessage, dependencies, signal)).toEqual({ kind: 'done' });
    next += Math.max(done, 1);
  }
}

describe('at the end of the consumer’s patience', () => {
  const impatient = { retryLimit: 2, retryMaxMs: 100, patienceMs: 1_000_000 };
  const longAgo = (name: string): Promise<number> =>
    prisma.$executeRaw`
      UPDATE signalbox.postponed_event SET tried_since = tried_since - interval '1 hour' WHERE consumer = ${name}`;

  test('the event becomes a dead letter, byte for byte, and those that waited go on with a patience of their own', async () => {
    const [first, second] = history(2) as [Patient, Patient];
    const { name, dependencies, letters, deliver, retryAll, effects } = setup(putOff(is(first), 99), {
      policy: impatient,
    });
    const message: ReceivedMessage = {
      ...messageOf(first, 'test', '9007199254740993'),
      partition: 2,
      key: null,
      headers: {
        'bin\u0000ary': Buffer.from([0, 255, 254]),
        twice: [Buffer.from('a'), Buffer.from('b')],
        text: 'c',
      },
    };
    expect(await settleMessage(message, dependencies, signal)).toEqual({ kind: 'done' });
    await deliver(second);
    await retryAll();
    expect(letters).toEqual([]);
    await longAgo(name);
    await retryAll();
    expect(letters).toMatchObject([
      { attempts: 3, errorClass: 'PostponeError', reason: 'not now', group: name },
    ]);
    const written = deadLetterMessage(letters[0] as DeadLetter);
    expect(written).toMatchObject({ key: null, value: message.value });
    expect(written.headers).toMatchObject({
      'bin\u0000ary': Buffer.from([0, 255, 254]),
      twice: [Buffer.from('a'), Buffer.from('b')],
      text: Buffer.from('c'),
      'dlq.original.topic': 'test.patient.created',
      'dlq.original.partition': '2',
      'dlq.original.offset': '9007199254740993',
      'dlq.original.timestamp': message.timestamp,
    });
    expect(await effects()).toEqual([second.event_id]);
    expect(await rowsOf(name)).toEqual([]);
  });

  test('it is tried once more, when exactly the patience is over', async () => {
    const { name, deliver } = setup(later, { policy: { ...impatient, patienceMs: 60_000 } });
    await deliver(patientCreated());
    expect((await rowsOf(name))[0]?.waits).toBeLessThanOrEqual(60);
  });

  test('a dead letter that cannot be written is kept, its handler is not run again, and those after it wait', async () => {
    const [first, second] = history(2) as [Patient, Patient];
    let runs = 0;
    let broken = true;
    const letters: DeadLetter[] = [];
    const { name, deliver, retryAll, effects } = setup(
      (event) => {
        if (!is(first)(event)) return;
        runs += 1;
        throw runs === 1 ? new PostponeError('not now') : new PermanentError('never');
      },
      {
        publishDeadLetter: async (letter) => {
          if (broken) throw new Error('the topic cannot be written');
          letters.push(letter);
        },
      },
    );
    await deliver(first, second);
    await retryAll();
    await retryAll();
    expect(runs).toBe(2);
    expect(await rowsOf(name)).toMatchObject([{ given_up: true, reason: 'never' }, { given_up: false }]);
    broken = false;
    await retryAll();
    expect(runs).toBe(2);
    expect(letters).toMatchObject([{ errorClass: 'PermanentError', reason: 'never' }]);
    expect(await effects()).toEqual([second.event_id]);
    expect(await rowsOf(name)).toEqual([]);
  });
});

/** A database in which another process takes over the consumer's leases after each transaction. */
const stealing = (name: string): SettleDependencies<Prisma.TransactionClient>['database'] => ({
  $queryRawUnsafe: (sql) => prisma.$queryRawUnsafe(sql),
  $transaction: async (work, options) => {
    const result = await prisma.$transaction(work, options);
    await prisma.$executeRaw`
      UPDATE signalbox.postponed_event SET lease_token = ${randomUUID()}::uuid WHERE consumer = ${name}`;
    return result;
  },
});

describe('an attempt at a postponed event', () => {
  test('that fails counts, and after the limit the event becomes a dead letter', async () => {
    const { deliver, retryAll, letters, name } = setup((_event, attempt) => {
      if (attempt === 1) throw new PostponeError('not now');
      throw new TransientError('busy');
    });
    await deliver(patientCreated());
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect(letters).toEqual([]);
      await retryAll();
    }
    expect(letters).toMatchObject([{ errorClass: 'TransientError', reason: 'busy', attempts: 4 }]);
    expect(await rowsOf(name)).toEqual([]);
  });

  test('that meets an outage does not count, however many there are', async () => {
    const { deliver, retryAll, letters, effects } = setup((_event, attempt) => {
      if (attempt === 1) throw new PostponeError('not now');
      if (attempt < 9) throw new UnavailableError('away');
    });
    const event = patientCreated();
    await deliver(event);
    for (let attempt = 0; attempt < 8; attempt += 1) await retryAll();
    expect(letters).toEqual([]);
    expect(await effects()).toEqual([event.event_id]);
  });

  test('knows how often and since when it has been tried', async () => {
    const seen: { attempt: number; triedSince: Date | undefined }[] = [];
    const { dependencies, name } = setup(later);
    const handlers: Handlers = {
      'patient.created': async (_event, { attempt, triedSince }) => {
        seen.push({ attempt, triedSince });
        if (attempt === 1) throw new PostponeError('not now');
      },
    };
    const mine = { ...dependencies, handlers };
    await settleMessage(messageOf(patientCreated(), 'test'), mine, signal);
    await due(name);
    await retryDue({ dependencies: mine }, signal);
    expect(seen).toEqual([
      { attempt: 1, triedSince: undefined },
      { attempt: 2, triedSince: expect.any(Date) },
    ]);
  });

  test('is made by one process at a time, each of thirty events once', async () => {
    const events = Array.from({ length: 30 }, () => patientCreated());
    const { name, dependencies, deliver, effects } = setup(putOff());
    await deliver(...events);
    await due(name);
    const others = [1, 2].map(() => clientOf(database.url));
    await Promise.all(
      [prisma, ...others].map(async (client) => {
        const mine = { ...dependencies, database: client };
        while ((await retryDue({ dependencies: mine, atOnce: 3 }, signal)) > 0);
      }),
    );
    await Promise.all(others.map((client) => client.$disconnect()));
    expect((await effects()).sort()).toEqual(idsOf(events).sort());
  });

  test('of a process that died is another’s when its lease is over, and not before', async () => {
    const event = patientCreated();
    const { name, dependencies, deliver, effects } = setup(putOff());
    await deliver(event);
    await due(name);
    const token = randomUUID();
    const options = { consumer: name, laterEvents: 'wait', token, leaseMs: 60_000, limit: 5 } as const;
    expect(await prisma.$transaction((tx) => claimDue(tx, options))).toHaveLength(1);
    expect(await retryDue({ dependencies }, signal)).toBe(0);
    await prisma.$executeRaw`UPDATE signalbox.postponed_event SET leased_until = now() WHERE consumer = ${name}`;
    expect(await retryDue({ dependencies }, signal)).toBe(1);
    expect(await effects()).toEqual([event.event_id]);
  });

  test('whose lease another process has taken over has no effect', async () => {
    const event = patientCreated();
    const { name, dependencies, deliver, effects } = setup(putOff());
    await deliver(event);
    await due(name);
    const stolen = { ...dependencies, database: stealing(name) };
    expect(await retryDue({ dependencies: stolen }, signal)).toBe(1);
    expect(await effects()).toEqual([]);
    expect(await rowsOf(name)).toHaveLength(1);
  });

  test('whose lease another process has taken over writes no dead letter', async () => {
    const { name, dependencies, letters, deliver } = setup(putOff());
    await deliver(patientCreated());
    await due(name);
    await prisma.$executeRaw`UPDATE signalbox.postponed_event SET given_up = true WHERE consumer = ${name}`;
    expect(await retryDue({ dependencies: { ...dependencies, database: stealing(name) } }, signal)).toBe(1);
    expect(letters).toEqual([]);
    expect(await rowsOf(name)).toHaveLength(1);
  });

  test('that the database does not survive is made again when the lease is over', async () => {
    const event = patientCreated();
    const { name, dependencies, deliver, retryAll, effects } = setup(putOff());
    await deliver(event);
    await due(name);
    let transactions = 0;
    const failing: SettleDependencies<Prisma.TransactionClient> = {
      ...dependencies,
      database: {
        $queryRawUnsafe: () => Promise.reject(new Error('Connection terminated')),
        $transaction: async (work, options) => {
          transactions += 1;
          if (transactions > 1) throw new Error('Connection terminated');
          return prisma.$transaction(work, options);
        },
      },
    };
    await expect(retryDue({ dependencies: failing }, signal)).rejects.toThrow('Connection terminated');
    await prisma.$executeRaw`UPDATE signalbox.postponed_event SET leased_until = now() WHERE consumer = ${name}`;
    await retryAll();
    expect(await effects()).toEqual([event.event_id]);
  });
});

test('text that Postgres cannot hold, or cannot index, stops no event', async () => {
  const odd = [
    { aggregate_id: 'a\u0000b' },
    { aggregate_id: 'x'.repeat(9_000) },
    { sequence: '9'.repeat(200_000) },
  ];
  const events = odd.map((metadata) => patientCreated(metadata));
  const { deliver, retryAll, effects } = setup(putOff());
  expect(await deliver(...events)).toEqual(['done', 'done', 'done']);
  await retryAll();
  expect((await effects()).sort()).toEqual(idsOf(events).sort());
});

test('the worker tries them by itself, its figures are there from the start, and nothing of a patient is logged', async () => {
  const log = captureLogger();
  const { name, registry, dependencies, deliver, effects } = setup(
    (event, attempt) => {
      if (attempt === 1) throw new PostponeError(`no ${event.data.name}`, { afterMs: 60_000 });
    },
    { logger: log.logger },
  );
  const worker = createPostponedWorker({ dependencies, intervalMs: 20 });
  const figures = async (): Promise<string> => {
    const lines = (await registry.metrics()).split('\n');
    return lines.filter((line) => line.startsWith('signalbox_consumer_postponed')).join('\n');
  };
  expect(await figures()).toBe(
    `signalbox_consumer_postponed{consumer="${name}"} 0\n` +
      `signalbox_consumer_postponed_oldest_seconds{consumer="${name}"} 0`,
  );
  await worker.start();
  const event = patientCreated();
  await deliver(event);
  await prisma.$executeRaw`
    UPDATE signalbox.postponed_event SET postponed_at = now() - interval '500 seconds' WHERE consumer = ${name}`;
  await waitFor(async () => /postponed\{.*\} 1\n.*seconds\{.*\} 50\d/.test(await figures()), {
    what: 'the figures to show it',
  });
  await due(name);
  await waitFor(async () => /postponed\{.*\} 0\n.*seconds\{.*\} 0$/.test(await figures()), {
    what: 'the figures to be 0 again',
  });
  await worker.stop();
  expect(await effects()).toEqual([event.event_id]);
  const counted = (await registry.metrics()).split('\n').filter((line) => line.includes('events_total{'));
  expect(counted.join('\n')).toMatch(/outcome="postponed"\} 1\n.*outcome="processed"\} 1/);
  expect(log.lines().join('\n')).toContain('an event is postponed');
  expect(log.lines().join('\n')).not.toContain(patientMarker);
});
