import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { purgeSql, purgeWindow } from '../../../src/outbox/log/purge';
import { Janitor } from '../../../src/relay/janitor';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { numberedData } from '../../support/events';
import { captureLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { append, poolOf, type Stepped, type SteppedOptions, steppedRelay } from './harness';

const dayMs = 86_400_000;

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 8);
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function relay(options: SteppedOptions = {}): Promise<Stepped> {
  const stepped = steppedRelay(pool, options);
  await stepped.leases.renew();
  return stepped;
}

function janitorOf({ leases }: Stepped, intervalMs = 20) {
  const registry = new Registry();
  const log = captureLogger();
  const janitor = new Janitor({
    database: pool,
    leases,
    keepMs: 7 * dayMs,
    logger: log.logger,
    registry,
    intervalMs,
  });
  return { janitor, registry, log };
}

/** As if everything had been appended this many days ago. */
async function age(days: number, where = 'true'): Promise<void> {
  await pool.query(
    `UPDATE signalbox.outbox SET occurred_at = occurred_at - $1 * interval '1 day' WHERE ${where}`,
    [days],
  );
}

async function kept(): Promise<string[]> {
  const { rows } = await pool.query<{ label: string }>(
    `SELECT format('%s:%s', aggregate_id, data->>'n') AS label FROM signalbox.outbox ORDER BY position`,
  );
  return rows.map(({ label }) => label);
}

test('what is older than the retention and published is deleted, counted and logged; younger events stay', async () => {
  const stepped = await relay();
  const { janitor, registry, log } = janitorOf(stepped);
  for (const key of ['a', 'b', 'c']) await append(pool, key, 1);
  await append(pool, 'a', 2);
  await stepped.drain();
  await age(8, `data->>'n' = '1'`);
  await age(6, `data->>'n' = '2'`);
  expect(await janitor.round()).toBe(3);
  expect(await kept()).toEqual(['a:2']);
  expect(await janitor.round()).toBe(0);
  expect(await registry.metrics()).toContain('signalbox_outbox_deleted_total 3');
  expect(log.entries()).toEqual([
    expect.objectContaining({ events: 3, msg: 'deleted published events beyond the retention' }),
  ]);
});

test('what is not published stays, however old it is, and is published later', async () => {
  const stepped = await relay();
  const { janitor } = janitorOf(stepped);
  await append(pool, 'a', 1);
  await stepped.drain();
  await append(pool, 'a', 2);
  await append(pool, 'b', 1);
  await age(800);
  expect(await janitor.round()).toBe(1);
  expect(await kept()).toEqual(['a:2', 'b:1']);
  await stepped.drain();
  expect(stepped.publisher.published().sort()).toEqual(['a:1', 'a:2', 'b:1']);
  expect(await janitor.round()).toBe(2);
});

test('the row of a long transaction stays, though later positions of its lane are published and deleted', async () => {
  const stepped = await relay();
  const { janitor } = janitorOf(stepped);
  const slow = await pool.connect();
  await slow.query('BEGIN');
  await append(slow, 'slow', 1, { lane: 5 });
  await slow.query(`UPDATE signalbox.outbox SET occurred_at = occurred_at - interval '30 days'`);
  await append(pool, 'b', 1, { lane: 5 });
  await stepped.drain();
  await age(30, `aggregate_id = 'b'`);
  await slow.query('COMMIT');
  slow.release();
  expect(await janitor.round()).toBe(1);
  expect(await kept()).toEqual(['slow:1']);
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(['b:1', 'slow:1']);
});

test('within a batch, what is behind the page stays', async () => {
  for (let n = 1; n <= 5; n += 1) await append(pool, 'a', n);
  const stepped = await relay({ limits: { rows: 2 } });
  await stepped.tick.run();
  await stepped.tick.discard();
  await age(30);
  expect(await janitorOf(stepped).janitor.round()).toBe(2);
  expect(await kept()).toEqual(['a:3', 'a:4', 'a:5']);
  await stepped.drain();
  expect(stepped.publisher.published()).toEqual(['a:1', 'a:2', 'a:3', 'a:4', 'a:5']);
});

test('what is set aside stays until it is done with', async () => {
  await append(pool, 'a', 1, { eventType: 'patient.unheard_of' });
  await append(pool, 'a', 2);
  await append(pool, 'b', 1);
  const stepped = await relay();
  await stepped.drain();
  await age(30);
  const { janitor } = janitorOf(stepped);
  expect(await janitor.round()).toBe(1);
  expect(await kept()).toEqual(['a:1', 'a:2']);
  await pool.query('DELETE FROM signalbox.parked_event');
  expect(await janitor.round()).toBe(2);
});

test('it goes on over windows that hold nothing to delete but set-aside rows, and takes all batches in one round', async () => {
  const rows = 2 * purgeWindow + 100;
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     SELECT 3, CASE WHEN n <= $1 THEN 'patient.unheard_of' ELSE 'patient.updated' END, '1.0', 'patient', n, 'test',
       ${numberedData('n')} FROM generate_series(1, $2::int) n`,
    [purgeWindow, rows],
  );
  const stepped = await relay();
  await stepped.drain();
  await age(30);
  expect(await janitorOf(stepped).janitor.round()).toBe(rows - purgeWindow);
  expect(await kept()).toHaveLength(purgeWindow);
});

test('a relay that does not own a lane deletes nothing of it, nor does one that lost it unknowingly', async () => {
  await append(pool, 'a', 1);
  const first = await relay();
  await first.drain();
  await age(30);
  const idle = steppedRelay(pool);
  expect(await janitorOf(idle).janitor.round()).toBe(0);
  await pool.query('UPDATE signalbox.lane SET epoch = epoch + 1');
  expect(await janitorOf(first).janitor.round()).toBe(0);
  expect(await kept()).toEqual(['a:1']);
});

test('under writers whose events look old at once, each is published before it is deleted', async () => {
  await pool.query(
    `ALTER TABLE signalbox.outbox ALTER COLUMN occurred_at SET DEFAULT clock_timestamp() - interval '1 year'`,
  );
  const stepped = await relay({ limits: { rows: 7 } });
  const { janitor } = janitorOf(stepped, 1);
  await janitor.start();
  const perWriter = 60;
  const writers = Array.from({ length: 5 }, async (_none, writer) => {
    for (let n = 1; n <= perWriter; n += 1) {
      const client = await pool.connect();
      await client.query('BEGIN');
      await append(client, `w${writer}`, n);
      if (n % 10 === 0) await client.query('SELECT pg_sleep(0.02)');
      await client.query('COMMIT');
      client.release();
    }
  });
  const writing = Promise.all(writers);
  const writingNow = { busy: true };
  void writing.finally(() => (writingNow.busy = false));
  while (writingNow.busy) await stepped.tick.run();
  await writing;
  await stepped.drain();
  await waitFor(async () => (await kept()).length === 0, { what: 'all events to be deleted' });
  await janitor.stop();
  const published = stepped.publisher.published();
  expect(published).toHaveLength(5 * perWriter);
  for (let writer = 0; writer < 5; writer += 1) {
    expect(published.filter((label) => label.startsWith(`w${writer}:`))).toEqual(
      Array.from({ length: perWriter }, (_none, index) => `w${writer}:${index + 1}`),
    );
  }
});

test('in a large table it reads the beginning of the lane by its index', async () => {
  const stepped = await relay();
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     SELECT n % 16, 'patient.updated', '1.0', 'patient', n, 'test', '{}' FROM generate_series(1, 50000) n`,
  );
  await pool.query('ANALYZE signalbox.outbox');
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${purgeSql}`, [
    3,
    stepped.id,
    1,
    0,
    0,
  ]);
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
  expect(plan).toMatch(/Index Scan using outbox_pkey/);
  expect(plan).toMatch(/Tid Scan on outbox/);
  expect(plan).not.toMatch(/Seq Scan on outbox|Sort/);
});

test('a round that fails is logged, and the next one makes up for it', async () => {
  await append(pool, 'a', 1);
  const stepped = await relay();
  await stepped.drain();
  await age(30);
  await pool.query('ALTER TABLE signalbox.parked_event RENAME TO away');
  const { janitor, log } = janitorOf(stepped);
  await janitor.start();
  await waitFor(() => log.lines().some((line) => line.includes('could not be deleted')), {
    what: 'a warning',
  });
  await pool.query('ALTER TABLE signalbox.away RENAME TO parked_event');
  await waitFor(async () => (await kept()).length === 0, { what: 'the next round' });
  await janitor.stop();
});
