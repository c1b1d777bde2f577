import { Client, type Pool } from 'pg';
import { raiseLanes } from '../../../src/outbox/log/raiseLanes';
import { repairCursors } from '../../../src/outbox/log/repair';
import { createPool } from '../../../src/shared/database';
import { inTransaction } from '../../../src/shared/inTransaction';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({
    databaseUrl: database.url,
    poolSize: 1,
    applicationName: 'tx',
    logger: silentLogger(),
  });
});
afterAll(async () => {
  await pool.end();
  await database.assertNoLeaks();
  await database.drop();
});

const terminate = 'SELECT pg_terminate_backend(pg_backend_pid())';
const works = async () => expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);

describe('a transaction', () => {
  it('rejects with what went wrong, though its ROLLBACK fails, too, and the connection is not used again', async () => {
    const wrong = new Error('what went wrong');
    const failing = inTransaction(pool, async (client) => {
      await client.query(terminate).catch(() => undefined);
      throw wrong;
    });
    await expect(failing).rejects.toBe(wrong);
    await works();
  });

  it('rejects when the server has rolled back what was to be committed', async () => {
    const swallowing = inTransaction(pool, async (client) => {
      await client.query('CREATE TABLE swallowed ()');
      await client.query('SELECT 1 / 0').catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('rolled back instead of committed');
    expect((await pool.query(`SELECT to_regclass('swallowed') AS found`)).rows).toEqual([{ found: null }]);
  });

  it('leaves nothing when it is not to commit, and returns what it found', async () => {
    const trying = inTransaction(pool, (client) => client.query('CREATE TABLE tried ()'), { commit: false });
    expect((await trying).command).toBe('CREATE');
    expect((await pool.query(`SELECT to_regclass('tried') AS found`)).rows).toEqual([{ found: null }]);
  });

  it('that does not reach its end rolls back', async () => {
    await expect(
      inTransaction(pool, async (client) => {
        await client.query('CREATE TABLE half ()');
        throw new Error('half-way');
      }),
    ).rejects.toThrow('half-way');
    expect((await pool.query(`SELECT to_regclass('half') AS found`)).rows).toEqual([{ found: null }]);
  });
});

it('a connection that is given back in the middle of a transaction, or of a statement, is not used again', async () => {
  const pidOf = async () =>
    (await pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;
  const first = await pidOf();
  const client = await pool.connect();
  await client.query('BEGIN');
  client.release();
  const second = await pidOf();
  expect(second).not.toBe(first);
  const other = await pool.connect();
  await other.query('BEGIN');
  const abandoned = other.query('SELECT pg_sleep(2)');
  other.release();
  await expect(abandoned).rejects.toThrow();
  expect(await pidOf()).not.toBe(second);
});

it.each([
  ['raising the lanes', () => raiseLanes(pool, { to: 32, execute: true })],
  ['repairing the cursors', () => repairCursors(pool, { execute: true })],
])('%s says that its connection was ended, not that its ROLLBACK failed', async (_name, run) => {
  const blocker = new Client({ connectionString: database.url });
  await blocker.connect();
  await blocker.query('BEGIN; LOCK TABLE signalbox.outbox IN ACCESS EXCLUSIVE MODE');
  const outcome = run().then(
    () => undefined,
    (error: unknown) => error,
  );
  const waiting = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'tx' AND wait_event_type = 'Lock' AND datname = current_database()`;
  while ((await blocker.query(waiting)).rowCount === 0);
  expect(await outcome).toMatchObject({ code: '57P01' });
  await blocker.query('ROLLBACK');
  await blocker.end();
  await works();
});
