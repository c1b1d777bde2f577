import { Client, type Pool } from 'pg';
import { catalogue } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { startPostgres, type EmbeddedPostgres } from '../../../dev/postgres/startPostgres';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { createPool } from '../../../src/shared/database';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { startTcpProxy } from '../../support/tcpProxy';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let database: TestDatabase;
let admin: Client;
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  admin = new Client({ connectionString: database.url });
  await admin.connect();
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await readOnly(false);
});
afterAll(async () => {
  await admin.end();
  await database.assertNoLeaks();
  await database.drop();
});

/** As a server is after a failover, for the sessions that begin from now on; those that are open stay as they are. */
const readOnly = (on: boolean): Promise<unknown> =>
  admin.query(`ALTER DATABASE "${database.name}" SET default_transaction_read_only = ${on}`);

const options = (databaseUrl = database.url) => ({
  databaseUrl,
  poolSize: 3,
  applicationName: 'failover',
  logger: silentLogger(),
});
function prismaOf(more: { preparedStatements?: boolean } = {}): PrismaClient {
  const prisma = createPrismaClient({ ...options(), ...more });
  closing.push(() => prisma.$disconnect());
  return prisma;
}
function poolOf(databaseUrl?: string): Pool {
  const pool = createPool(options(databaseUrl));
  closing.push(() => pool.end());
  return pool;
}
let counter = 0;
const patient = () => ({ data: { name: 'Ann', email: `ann${(counter += 1)}@example.com` } });

describe('after a failover, connections to a server that has become read-only', () => {
  it.each([true, false])(
    'leave the pool of Prisma with the first write that is refused, idle ones too (prepared statements: %s)',
    async (preparedStatements) => {
      await readOnly(true);
      const prisma = prismaOf({ preparedStatements });
      const captured = withCapture(prisma, { catalogue, source: 'test', logger: silentLogger() });
      // Three connections that answer reads.
      await Promise.all(
        Array.from({ length: 3 }, () => prisma.$queryRawUnsafe('SELECT pg_sleep(0.1)::text')),
      );
      await readOnly(false);
      await expect(captured.patient.create(patient())).rejects.toThrow();
      await Promise.all(Array.from({ length: 6 }, () => captured.patient.create(patient())));
    },
  );

  it('leave it when they come back from a transaction in which the write was refused', async () => {
    await readOnly(true);
    const prisma = prismaOf();
    const held = prisma.$transaction(async (tx) => {
      await expect(tx.patient.create(patient())).rejects.toThrow();
      await readOnly(false);
      throw new Error('rolled back');
    });
    await expect(held).rejects.toThrow('rolled back');
    await prisma.patient.create(patient());
  });

  it('leave the pool for plain SQL', async () => {
    await readOnly(true);
    const pool = poolOf();
    await Promise.all(Array.from({ length: 3 }, () => pool.query('SELECT pg_sleep(0.1)')));
    await readOnly(false);
    const write = `SELECT nextval('signalbox.outbox_position')`;
    await expect(pool.query(write)).rejects.toMatchObject({ code: '25006' });
    await Promise.all(Array.from({ length: 6 }, () => pool.query(write)));
  });
});

describe('a list of hosts', () => {
  let second: EmbeddedPostgres;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-second-'));
    second = await startPostgres({
      dataDir: join(directory, 'data'),
      port: 0,
      logger: silentLogger(),
      settings: { fsync: 'off' },
    });
    const client = new Client({ connectionString: second.url });
    await client.connect();
    await client.query(`CREATE DATABASE "${database.name}"`);
    await client.end();
  });
  afterAll(async () => {
    await second.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const listOf = (ports: (number | string)[], attributes: string): string => {
    const { username } = new URL(database.url);
    const hosts = ports.map((port) => `127.0.0.1:${port}`).join(',');
    return `postgresql://${username}@${hosts}/${database.name}?target_session_attrs=${attributes}`;
  };
  const first = (): string => new URL(database.url).port;
  const askPort = async (pool: Pool): Promise<string> =>
    (await pool.query<{ port: string }>(`SELECT current_setting('port') AS port`)).rows[0]?.port ?? '';

  it('is tried in its order, past what cannot be reached', async () => {
    const gone = await startTcpProxy({ port: second.port });
    await gone.close();
    expect(await askPort(poolOf(listOf([gone.port, second.port, first()], 'any')))).toBe(String(second.port));
  });

  it('read-write passes over a server that takes no writes, and finds it again when the other one falls', async () => {
    const proxy = await startTcpProxy({ port: second.port });
    closing.push(() => proxy.close());
    await readOnly(true);
    const pool = poolOf(listOf([first(), proxy.port], 'read-write'));
    expect(await askPort(pool)).toBe(String(second.port));
    await readOnly(false);
    proxy.refuse();
    proxy.cut();
    // What was open is broken; the pool may not have noticed yet.
    await pool.query('SELECT 1').catch(() => undefined);
    expect(await askPort(pool)).toBe(first());
  });

  it('of which none takes writes is said to be so, by the code of a read-only server', async () => {
    await readOnly(true);
    await expect(poolOf(listOf([first()], 'read-write')).query('SELECT 1')).rejects.toMatchObject({
      code: '25006',
      message: expect.stringContaining('read-write'),
    });
    expect(await askPort(poolOf(listOf([first()], 'primary')))).toBe(first());
  });
});
