/** On a server of its own: two-phase commit is switched off by default. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Client, type Pool } from 'pg';
import { type EmbeddedPostgres, startPostgres } from '../../../dev/postgres/startPostgres';
import { migrate } from '../../../src/shared/migrate/migrate';
import { silentLogger } from '../../support/logger';
import { append, poolOf, steppedRelay } from '../relay/harness';

let directory: string;
let server: EmbeddedPostgres;
let pool: Pool;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-prepared-'));
  const settings = { max_prepared_transactions: '5', fsync: 'off' };
  server = await startPostgres({
    dataDir: join(directory, 'data'),
    port: 0,
    logger: silentLogger(),
    settings,
  });
  const migrations = resolve(__dirname, '../../../prisma/migrations');
  await migrate({ databaseUrl: server.url, directory: migrations, logger: silentLogger() });
  pool = poolOf(server.url);
});

afterAll(async () => {
  await pool?.end();
  await server?.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

test('an orphaned prepared transaction holds nothing up, and its events come when it is committed', async () => {
  const { leases, drain, publisher } = steppedRelay(pool);
  await leases.renew();
  const client = new Client({ connectionString: server.url });
  await client.connect();
  await client.query('BEGIN');
  await append(client, 'a', 1);
  await client.query(`PREPARE TRANSACTION 'orphan'`);
  await client.end();
  for (let n = 1; n <= 3; n += 1) {
    await append(pool, 'b', n);
    await drain();
  }
  expect(publisher.published()).toEqual(['b:1', 'b:2', 'b:3']);
  await leases.releaseAll();
  await pool.query(`COMMIT PREPARED 'orphan'`);
  const next = steppedRelay(pool, { publisher });
  await next.leases.renew();
  await next.drain();
  expect(publisher.published().at(-1)).toBe('a:1');
  expect(publisher.published()).toHaveLength(4);
});
