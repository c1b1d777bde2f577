import { createServer } from 'node:net';
import { once } from 'node:events';
import { resolve } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Pool } from 'pg';
import { auditLog } from '../../../src/healthcore/consumers/auditLog';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import { createPool } from '../../../src/shared/database';
import type { AdapterOptions } from '../../../src/outbox/prisma/adapter/createAdapter';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { migrate } from '../../../src/shared/migrate/migrate';
import { createEmptyDatabase, createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated } from '../../support/events';
import { engines } from '../pitfalls/support';
import { silentLogger } from '../../support/logger';

let database: TestDatabase;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});
afterAll(async () => {
  await database.assertNoLeaks();
  await database.drop();
});

const optionsOf = (query: string, more: Partial<AdapterOptions> = {}): AdapterOptions => ({
  databaseUrl: `${database.url}?${query}`,
  poolSize: 3,
  applicationName: 'program',
  logger: silentLogger(),
  ...more,
});
function poolWith(query: string, more?: Partial<AdapterOptions>): Pool {
  const pool = createPool(optionsOf(query, more));
  closing.push(() => pool.end());
  return pool;
}
function prismaWith(query: string, more?: Partial<AdapterOptions>): PrismaClient {
  const prisma = createPrismaClient({ ...optionsOf(query, more), comments: [] });
  closing.push(() => prisma.$disconnect());
  return prisma;
}
const settings = `SELECT current_setting('application_name') AS name, current_setting('work_mem') AS memory,
  current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
  current_setting('idle_in_transaction_session_timeout') AS idle`;

describe('a parameter of DATABASE_URL is honoured', () => {
  it('application_name, options and the time-outs of the server, by every kind of connection', async () => {
    const query =
      'application_name=clinic&options=-c%20work_mem%3D9MB&lock_timeout=3000&statement_timeout=4000&idle_in_transaction_session_timeout=5000';
    const expected = [{ name: 'clinic', memory: '9MB', lock: '3s', statement: '4s', idle: '5s' }];
    expect((await poolWith(query).query(settings)).rows).toEqual(expected);
    expect(await prismaWith(query).$queryRawUnsafe(settings)).toEqual(expected);
  });

  it("the program's own limits hold where they are lower", async () => {
    const pool = poolWith('statement_timeout=60000', { statementTimeoutMs: 50 });
    await expect(pool.query('SELECT pg_sleep(20)')).rejects.toMatchObject({ code: '57014' });
  });

  it('connection_limit, as the size of the pool of Prisma, and pool_timeout', async () => {
    const prisma = prismaWith('connection_limit=1&pool_timeout=1');
    const both = await Promise.allSettled(
      [1, 2].map(async () => prisma.$queryRawUnsafe('SELECT pg_sleep(2)::text')),
    );
    expect(both).toMatchObject([
      { status: 'fulfilled' },
      { reason: { message: expect.stringContaining('timeout exceeded when trying to connect') } },
    ]);
    const [row] = await prisma.$queryRawUnsafe<{ count: number }[]>(
      `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()`,
    );
    expect(row?.count).toBe(1);
  });

  it('connect_timeout, when a server takes connections and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(async () => silent.close());
    const { port } = silent.address() as AddressInfo;
    const pool = poolWith('', { databaseUrl: `postgresql://me@127.0.0.1:${port}/d?connect_timeout=1` });
    const began = Date.now();
    await expect(pool.query('SELECT 1')).rejects.toThrow(/timeout/);
    expect(Date.now() - began).toBeLessThan(8_000);
  });

  it('socket_timeout: the connection on which the answer is missing is not used again', async () => {
    const prisma = prismaWith('socket_timeout=1&connection_limit=1');
    const late = prisma.$transaction((tx) => tx.$queryRawUnsafe('SELECT pg_sleep(3)::text'));
    await expect(late).rejects.toThrow();
    expect(await prisma.$queryRawUnsafe('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it.each([
    ['pgbouncer=true', 0],
    ['statement_cache_size=0', 0],
    ['statement_cache_size=2', 2],
    ['', 4],
  ])('"%s": statements that are prepared', async (query, expected) => {
    const prisma = prismaWith(query, { poolSize: 1 });
    for (let n = 0; n < 8; n += 1) {
      for (const text of ['a', 'b', 'c', 'd']) await prisma.$queryRawUnsafe(`SELECT $1::int AS "${text}"`, n);
    }
    const [row] = await prisma.$queryRawUnsafe<{ count: number }[]>(
      'SELECT count(*)::int FROM pg_prepared_statements',
    );
    expect(row?.count).toBe(expected);
  });

  it('max_connection_lifetime and max_idle_connection_lifetime', async () => {
    const pool = poolWith('max_connection_lifetime=600&max_idle_connection_lifetime=30');
    expect(pool.options).toMatchObject({ maxLifetimeSeconds: 600, idleTimeoutMillis: 30_000 });
  });

  it('and nothing that prints a pool shows the password', () => {
    const pool = poolWith('', { databaseUrl: 'postgresql://me:s3cret@127.0.0.1:1/d' });
    expect(JSON.stringify(pool.options)).not.toContain('s3cret');
  });
});

it.each([
  ['statement_timeout=500', 'statement_timeout', /Add pgbouncer=true to DATABASE_URL/],
  ['schema=clinic', 'search_path', /Remove schema from DATABASE_URL/],
  ['options=-c%20work_mem%3D9MB', 'options', /Remove options from DATABASE_URL/],
])('a pooler that does not take %s is named, with what to do', async (query, name, remedy) => {
  const text = Buffer.from(`SFATAL\0C08P01\0Munsupported startup parameter: ${name}\0\0`);
  const head = Buffer.from([0x45, 0, 0, 0, text.length + 4]);
  const pooler = createServer((socket) => socket.once('data', () => socket.end(Buffer.concat([head, text]))));
  pooler.listen(0, '127.0.0.1');
  await once(pooler, 'listening');
  closing.push(async () => pooler.close());
  const { port } = pooler.address() as AddressInfo;
  const pool = poolWith('', { databaseUrl: `postgresql://me@127.0.0.1:${port}/d?${query}` });
  await expect(pool.query('SELECT 1')).rejects.toMatchObject({
    name: 'SessionRefusedError',
    message: expect.stringMatching(remedy),
  });
});

describe.each(engines)('schema=clinic with the %s engine', (engine) => {
  let own: TestDatabase;
  beforeAll(async () => {
    own = await createEmptyDatabase();
  });
  afterAll(() => own.drop());

  it('holds the tables, the triggers and what raw SQL reads; nothing is in public', async () => {
    const databaseUrl = `${own.url}?schema=clinic`;
    const directory = resolve('prisma/migrations');
    await migrate({ databaseUrl, directory, logger: silentLogger() });
    expect((await migrate({ databaseUrl, directory, logger: silentLogger() })).applied).toEqual([]);
    const prisma = await createCapturedClient(engine, optionsOf('', { databaseUrl }), {
      source: 'test',
      logger: silentLogger(),
    });
    closing.push(() => prisma.$disconnect());
    const { id } = await prisma.patient.create({ data: { name: 'Ann', email: 'ann@example.com' } });
    await prisma.patient.update({ where: { id }, data: { phone: '1' } });
    expect(await prisma.$queryRawUnsafe('SELECT name FROM patients')).toEqual([{ name: 'Ann' }]);
    expect(await prisma.$queryRawUnsafe('SELECT event_type FROM signalbox.outbox ORDER BY position')).toEqual(
      [{ event_type: 'patient.created' }, { event_type: 'patient.updated' }],
    );
    const event = patientCreated();
    const handle = auditLog['patient.created'];
    await prisma.$transaction(async (tx) =>
      handle?.(event as never, { tx, logger: silentLogger() } as never),
    );
    expect(await prisma.auditEntry.count()).toBe(1);
    expect(
      await prisma.$queryRawUnsafe(`SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'`),
    ).toEqual([]);
  });

  it('cannot share the outbox of another schema in the same database', async () => {
    const other = `${own.url}?schema=other`;
    await expect(
      migrate({ databaseUrl: other, directory: resolve('prisma/migrations'), logger: silentLogger() }),
    ).rejects.toThrow(/is in use by the schema "clinic".*Use another database/);
    const prisma = prismaWith('', { databaseUrl: own.url });
    expect(await prisma.$queryRawUnsafe('SELECT count(*)::int AS n FROM signalbox.outbox')).toEqual([
      { n: 2 },
    ]);
  });
});
