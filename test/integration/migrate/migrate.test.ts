import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client } from 'pg';
import { UserError } from '../../../src/shared/lifecycle';
import { migrate, pendingMigrations } from '../../../src/shared/migrate/migrate';
import { createEmptyDatabase, type TestDatabase } from '../../support/database';
import { captureLogger, silentLogger } from '../../support/logger';

const shipped = resolve('prisma/migrations');
const logger = silentLogger();
let database: TestDatabase;
let directory: string;

beforeEach(async () => {
  database = await createEmptyDatabase();
  directory = await mkdtemp(join(tmpdir(), 'signalbox-migrations-'));
});

afterEach(async () => {
  await database.assertNoLeaks();
  await database.drop();
  await rm(directory, { recursive: true });
});

async function write(name: string, sql: string): Promise<void> {
  await mkdir(join(directory, name), { recursive: true });
  await writeFile(join(directory, name, 'migration.sql'), sql);
}

async function query<T extends object>(sql: string, parameters: unknown[] = []): Promise<T[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<T>(sql, parameters)).rows;
  } finally {
    await client.end();
  }
}

const run = () => migrate({ databaseUrl: database.url, directory, logger });
const pending = () => pendingMigrations({ databaseUrl: database.url, directory });

interface Row {
  id: string;
  checksum: string;
  finished_at: Date | null;
  migration_name: string;
  logs: string | null;
  rolled_back_at: Date | null;
  started_at: Date;
  applied_steps_count: number;
}

const rows = () => query<Row>('SELECT * FROM public._prisma_migrations ORDER BY started_at');

describe('the migrations that are shipped', () => {
  it('bring an empty database up to date, and do nothing the second time', async () => {
    await cp(shipped, directory, { recursive: true });
    const names = (await readdir(shipped)).filter((name) => !name.includes('.')).sort();
    expect(await pending()).toEqual(names);
    expect(await run()).toEqual({ applied: names });
    expect(await pending()).toEqual([]);
    expect(await run()).toEqual({ applied: [] });
  });

  it('do nothing the second time even for a role that is called like one of their schemas', async () => {
    await cp(shipped, directory, { recursive: true });
    const [role] = await query<{ name: string }>('SELECT current_user AS name');
    await write('20990101000000_schema', `CREATE SCHEMA IF NOT EXISTS "${role?.name}"`);
    await run();
    expect(await run()).toEqual({ applied: [] });
    const tables = await query<{ schema: string }>(
      `SELECT schemaname AS schema FROM pg_tables WHERE tablename IN ('_prisma_migrations', 'patients')`,
    );
    expect(tables).toEqual([{ schema: 'public' }, { schema: 'public' }]);
  });
});

describe('the bookkeeping', () => {
  it('is the one of Prisma Migrate', async () => {
    await write('1_one', 'CREATE TABLE one ()');
    await run();
    const [row] = await rows();
    expect(row).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/),
      checksum: createHash('sha256')
        .update(await readFile(join(directory, '1_one', 'migration.sql')))
        .digest('hex'),
      finished_at: expect.any(Date),
      migration_name: '1_one',
      logs: null,
      rolled_back_at: null,
      started_at: expect.any(Date),
      applied_steps_count: 1,
    });
    const columns = await query(
      `SELECT column_name, data_type, character_maximum_length AS length, is_nullable, column_default
       FROM information_schema.columns WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`,
    );
    // As Prisma's own engine creates the table (schema-engine, sql_migration_persistence.rs).
    expect(columns.map((column) => Object.values(column))).toEqual([
      ['id', 'character varying', 36, 'NO', null],
      ['checksum', 'character varying', 64, 'NO', null],
      ['finished_at', 'timestamp with time zone', null, 'YES', null],
      ['migration_name', 'character varying', 255, 'NO', null],
      ['logs', 'text', null, 'YES', null],
      ['rolled_back_at', 'timestamp with time zone', null, 'YES', null],
      ['started_at', 'timestamp with time zone', null, 'NO', 'now()'],
      ['applied_steps_count', 'integer', null, 'NO', '0'],
    ]);
  });

  it('applies in the order of the names and only what is new', async () => {
    await write('2_two', 'ALTER TABLE one ADD COLUMN two int');
    await write('1_one', 'CREATE TABLE one ()');
    expect(await run()).toEqual({ applied: ['1_one', '2_two'] });
    await write('3_three', 'ALTER TABLE one ADD COLUMN three int');
    expect(await run()).toEqual({ applied: ['3_three'] });
  });

  it('lets only one of several starters that come at once apply a migration', async () => {
    // Without a lock both would see it as pending; the second CREATE TABLE would fail.
    await write('1_one', 'SELECT pg_sleep(0.2); CREATE TABLE one ()');
    const outcomes = await Promise.all([run(), run(), run()]);
    expect(outcomes.flatMap(({ applied }) => applied)).toEqual(['1_one']);
    expect(await rows()).toHaveLength(1);
  });
});

describe('what is refused', () => {
  it('a migration that was changed after it had been applied', async () => {
    await write('1_one', 'CREATE TABLE one ()');
    await run();
    await write('1_one', 'CREATE TABLE one (id int)');
    await expect(run()).rejects.toThrow(
      'The migration 1_one was changed after it had been applied. Restore the file and add a new migration.',
    );
    await expect(run()).rejects.toBeInstanceOf(UserError);
    await write('1_one', 'CREATE TABLE one ()');
    expect(await run()).toEqual({ applied: [] });
  });

  it('anything after a migration that failed, until somebody has looked at it', async () => {
    await write('1_one', 'CREATE TABLE one (); SELECT 1 / 0');
    await write('2_two', 'CREATE TABLE two ()');
    await expect(run()).rejects.toThrow('The migration 1_one failed: division by zero');
    expect(await rows()).toMatchObject([
      { migration_name: '1_one', finished_at: null, logs: 'division by zero', applied_steps_count: 0 },
    ]);
    // It runs as a whole or not at all.
    expect(await query(`SELECT to_regclass('one') AS one, to_regclass('two') AS two`)).toEqual([
      { one: null, two: null },
    ]);
    await write('1_one', 'CREATE TABLE one ()');
    await expect(run()).rejects.toThrow(/failed earlier.* npx prisma migrate resolve --rolled-back 1_one/);
    await expect(pending()).rejects.toThrow('failed earlier');
  });

  it('nothing any more once the remedy that the error names was applied', async () => {
    await write('1_one', 'SELECT 1 / 0');
    await expect(run()).rejects.toThrow('division by zero');
    await write('1_one', 'CREATE TABLE one ()');
    const said = await run().then(
      () => '',
      (error: Error) => error.message,
    );
    const remedy = /DELETE FROM .*'1_one'/.exec(said)?.[0] ?? '';
    await query(remedy);
    expect(await run()).toEqual({ applied: ['1_one'] });
  });

  it('nothing any more once Prisma has marked the failed one as rolled back', async () => {
    await write('1_one', 'SELECT 1 / 0');
    await expect(run()).rejects.toThrow('division by zero');
    await query('UPDATE _prisma_migrations SET rolled_back_at = now()');
    await write('1_one', 'CREATE TABLE one ()');
    expect(await run()).toEqual({ applied: ['1_one'] });
    expect(await rows()).toHaveLength(2);
  });

  it('a database that is not there, with an error that says so and keeps the password', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await new Promise((done) => server.close(done));
    const databaseUrl = `postgresql://me:s3cret@127.0.0.1:${port}/app`;
    const said = await migrate({ databaseUrl, directory, logger }).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(said).toBeInstanceOf(UserError);
    expect(said?.message).toContain(`127.0.0.1:${port} can't be used: connect ECONNREFUSED`);
    expect(said?.message).not.toContain('s3cret');
  });
});

it('logs each migration that it applies, by name', async () => {
  await write('1_one', 'CREATE TABLE one ()');
  const log = captureLogger();
  await migrate({ databaseUrl: database.url, directory, logger: log.logger });
  expect(log.entries()).toMatchObject([{ migration: '1_one', msg: 'migration applied' }]);
});
