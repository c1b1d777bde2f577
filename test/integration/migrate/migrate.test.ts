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
import { type Pooler, startPooler } from '../../support/pooler';

const shipped = resolve('prisma/migrations');
const logger = silentLogger();
let database: TestDatabase;
let directory: string;
let pooler: Pooler | undefined;

beforeEach(async () => {
  database = await createEmptyDatabase();
  directory = await mkdtemp(join(tmpdir(), 'signalbox-migrations-'));
});

afterEach(async () => {
  await pooler?.close();
  pooler = undefined;
  await database.assertNoLeaks();
  await database.drop();
  await rm(directory, { recursive: true });
});

async function pooled(): Promise<Pooler> {
  pooler = await startPooler(database.url);
  return pooler;
}

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

it('a migration is applied in the schema of the models, whatever comes first in the search path of the role', async () => {
  const [role] = await query<{ name: string }>('SELECT current_user AS name');
  await query(`CREATE SCHEMA "${role?.name}"`);
  await write('1_one', 'CREATE TABLE one ()');
  await run();
  expect(await query(`SELECT schemaname AS schema FROM pg_tables WHERE tablename = 'one'`)).toEqual([
    { schema: 'public' },
  ]);
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
    expect(said?.message).toContain(`127.0.0.1:${port}/app can't be used: connect ECONNREFUSED`);
    expect(said?.message).not.toContain('s3cret');
  });
});

/** In this database: other test files use the same server. */
const locks = `SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database
  WHERE locktype = 'advisory' AND datname = current_database()`;

describe('through a pooler in transaction mode', () => {
  it('leaves neither its lock nor its search path in the session, and the next one does not wait', async () => {
    await cp(shipped, directory, { recursive: true });
    const { url } = await pooled();
    const through = () => migrate({ databaseUrl: url, directory, logger });
    const first = await Promise.all([through(), through()]);
    const applied = first.flatMap((outcome) => outcome.applied);
    // The two take turns.
    expect(applied.sort()).toEqual((await readdir(shipped)).filter((name) => !name.includes('.')).sort());
    expect(await pendingMigrations({ databaseUrl: url, directory })).toEqual([]);
    expect(await query(locks)).toEqual([]);
    const other = new Client({ connectionString: url });
    await other.connect();
    expect((await other.query('SHOW search_path')).rows).toEqual([{ search_path: '"$user", public' }]);
    await other.end();
    // Another starter on another session: nothing holds it up.
    expect(await run()).toEqual({ applied: [] });
  });

  it('records what fails, and the connection is as it was', async () => {
    await write('1_one', 'CREATE TABLE one (); SELECT 1 / 0');
    const { url } = await pooled();
    const through = () => migrate({ databaseUrl: url, directory, logger });
    await expect(through()).rejects.toThrow('The migration 1_one failed: division by zero');
    await expect(through()).rejects.toThrow('failed earlier');
  });

  it('refuses what must not run in a transaction, and names the way out', async () => {
    await write('1_one', 'CREATE TABLE one (id int)');
    await write('2_two', 'CREATE INDEX CONCURRENTLY two ON one (id)');
    const { url } = await pooled();
    await expect(migrate({ databaseUrl: url, directory, logger })).rejects.toThrow(
      /2_two can't run in a transaction, and this connection goes through a pooler\. .* address of the server itself/,
    );
    expect(await run()).toEqual({ applied: ['2_two'] });
  });
});

describe('a migration of one statement that must not run in a transaction', () => {
  it('is applied, in the schema of the models, and leaves no lock', async () => {
    await write('1_one', 'CREATE TABLE one (id int)');
    await write('2_two', 'CREATE INDEX CONCURRENTLY two ON one (id)');
    await write('3_three', 'ALTER TABLE one ADD three int');
    expect(await run()).toEqual({ applied: ['1_one', '2_two', '3_three'] });
    expect(await query(`SELECT schemaname AS at FROM pg_indexes WHERE indexname = 'two'`)).toEqual([
      { at: 'public' },
    ]);
    expect(await query(locks)).toEqual([]);
  });

  it('is recorded when it fails', async () => {
    await write('1_one', 'CREATE INDEX CONCURRENTLY one ON nothing (id)');
    await expect(run()).rejects.toThrow('The migration 1_one failed: relation "nothing" does not exist');
    await expect(run()).rejects.toThrow('failed earlier');
  });
});

it('a database with a history of its own is refused, and nothing is changed', async () => {
  await write('1_a', 'CREATE TABLE a ()');
  await run();
  await rm(join(directory, '1_a'), { recursive: true });
  await write('2_b', 'CREATE TABLE b ()');
  await expect(run()).rejects.toThrow(
    'was made by other migrations, the first being 1_a, and has none of these',
  );
  expect(await query("SELECT to_regclass('b') AS b")).toEqual([{ b: null }]);
});

describe('after DROP SCHEMA public CASCADE', () => {
  const drop = () => query('DROP SCHEMA public CASCADE');
  beforeEach(() => cp(shipped, directory, { recursive: true }));

  it.each([true, false])('everything is made anew (schema public there: %s)', async (isThere) => {
    const { applied } = await run();
    await query(`INSERT INTO public.patients (name, email) VALUES ('Ann', 'ann@example.com')`);
    const appended = 'SELECT count(*)::int AS n FROM signalbox.outbox';
    expect(await query(appended)).toEqual([{ n: 1 }]);
    await drop();
    if (isThere) await query('CREATE SCHEMA public');
    const log = captureLogger();
    expect(await migrate({ databaseUrl: database.url, directory, logger: log.logger })).toEqual({ applied });
    // What had not been published is not lost.
    expect(await query(appended)).toEqual([{ n: 1 }]);
    const renamed = log.entries().filter((entry) => 'renamed' in entry);
    expect(renamed).toMatchObject([{ schema: 'reminders' }]);
    expect(await run()).toEqual({ applied: [] });
  });
});

it('SQL of other programs needs neither an id nor updated_at, and what it gives stays', async () => {
  await cp(shipped, directory, { recursive: true });
  await run();
  const id = '5a1f2b3c-0000-4000-8000-000000000001';
  await query(`INSERT INTO patients (name, email) VALUES ('Ann', 'ann@example.com')`);
  await query(
    `INSERT INTO patients (id, name, email, updated_at) VALUES ('${id}', 'Bob', 'bob@example.com', '2001-01-01Z')`,
  );
  await query(
    `INSERT INTO patients (name, email, created_at) VALUES ('Cid', 'cid@example.com', '2002-02-02Z')`,
  );
  await query(
    `INSERT INTO appointments (patient_id, practitioner, starts_at, ends_at)
     SELECT id, 'Dr A', '2030-01-01 10:00Z', '2030-01-01 11:00Z' FROM patients WHERE name = 'Bob'`,
  );
  const patients = await query<{ id: string; updated_at: Date }>(
    'SELECT id, updated_at FROM patients ORDER BY name',
  );
  expect(patients).toMatchObject([
    { id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-4/), updated_at: expect.any(Date) },
    { id, updated_at: new Date('2001-01-01Z') },
    { updated_at: new Date('2002-02-02Z') },
  ]);
  expect(await query('SELECT aggregate_id FROM signalbox.outbox ORDER BY position')).toMatchObject([
    { aggregate_id: patients[0]?.id },
    { aggregate_id: id },
    {},
    {},
  ]);
});

it('a connection that breaks between two migrations ends in one line, and the next run goes on', async () => {
  await write('1_one', 'CREATE TABLE one ()');
  await write('2_two', 'SELECT pg_terminate_backend(pg_backend_pid())');
  await expect(run()).rejects.toThrow(/^The migration 2_two failed: .* It could not be recorded/);
  await write('2_two', 'CREATE TABLE two ()');
  expect(await run()).toEqual({ applied: ['2_two'] });
});

it('logs each migration that it applies, by name', async () => {
  await write('1_one', 'CREATE TABLE one ()');
  const log = captureLogger();
  await migrate({ databaseUrl: database.url, directory, logger: log.logger });
  expect(log.entries()).toMatchObject([{ migration: '1_one', msg: 'migration applied' }]);
});
