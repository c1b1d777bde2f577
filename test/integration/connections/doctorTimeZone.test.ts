import { Client, Pool } from 'pg';
import { timeZone } from '../../../src/ops/doctor/timeZone';
import { createPool } from '../../../src/shared/database';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';

let database: TestDatabase;
let pool: Pool;
let admin: Client;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({
    databaseUrl: database.url,
    poolSize: 1,
    applicationName: 'doctor',
    logger: silentLogger(),
  });
  admin = new Client({ connectionString: database.url });
  await admin.connect();
});
afterAll(async () => {
  await pool.end();
  await admin.end();
  await database.drop();
});

const set = (zone: string) =>
  admin.query(`ALTER ROLE CURRENT_USER IN DATABASE "${database.name}" SET timezone = '${zone}'`);

it('says that sessions are in UTC, and which time zone other programs have', async () => {
  await set('UTC');
  expect(await timeZone(pool)).toMatchObject([{ status: 'ok', detail: 'sessions are in UTC' }]);
  await set('America/New_York');
  expect(await timeZone(pool)).toMatchObject([
    { status: 'ok', detail: 'sessions are in UTC; other programs have America/New_York by default' },
  ]);
});

it('warns of columns that other programs fill with their local time', async () => {
  await set('America/New_York');
  await admin.query(
    'CREATE TABLE public.notes (made timestamp DEFAULT now(), seen timestamptz DEFAULT now(), "at" timestamp)',
  );
  expect(await timeZone(pool)).toMatchObject([
    {
      status: 'warn',
      detail: expect.stringMatching(/America\/New_York by default.* in public\.notes\.made$/),
    },
  ]);
  await admin.query('DROP TABLE public.notes');
});

it('fails when the sessions of Signalbox themselves are in another zone', async () => {
  const other = new Pool({ connectionString: database.url, max: 1, options: '-c timezone=Asia/Tokyo' });
  expect(await timeZone(other)).toMatchObject([
    { status: 'fail', detail: expect.stringContaining('are in Asia/Tokyo although they ask for UTC') },
  ]);
  await other.end();
});
