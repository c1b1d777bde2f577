import type { Pool } from 'pg';
import { createPool } from '../../../src/shared/database';
import { createRelayPool } from '../../../src/relay/pool';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  await database.drop();
});

const pools: [string, () => Pool][] = [
  ["the relay's", () => createRelayPool(database.url, 10_000, silentLogger())],
  [
    'every other',
    () =>
      createPool({
        databaseUrl: database.url,
        poolSize: 2,
        applicationName: 'test',
        logger: silentLogger(),
      }),
  ],
];

/* An event "error" that nobody listens to ends the process: found by the chaos suite, when a crash of Postgres met a look. */
test.each(pools)(
  '%s pool outlives a connection that breaks while it is checked out',
  async (_name, create) => {
    const pool = create();
    try {
      const client = await pool.connect();
      const heard = new Promise((resolve) => client.once('end', resolve));
      expect(client.listenerCount('error')).toBeGreaterThan(0);
      await expect(client.query('SELECT pg_terminate_backend(pg_backend_pid())')).rejects.toThrow();
      await heard;
      client.release(true);
      expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  },
);
