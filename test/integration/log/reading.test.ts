/** The reader against transactions that a test holds in its hands. */
import { Client, type Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { numberedData } from '../../support/events';
import { waitFor } from '../../support/waitFor';
import { append, poolOf, type Stepped, type SteppedOptions, steppedRelay } from '../relay/harness';

let database: TestDatabase;
let pool: Pool;
const clients: Client[] = [];

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
  await pool.query('CREATE TABLE model (id text PRIMARY KEY, n int NOT NULL DEFAULT 0)');
  await pool.query(`INSERT INTO model VALUES ('a'), ('b')`);
});

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
  await pool.end();
  await database.drop();
});

/** A connection in a transaction that has an id already. */
async function begin(url = database.url): Promise<Client> {
  const client = new Client({ connectionString: url });
  clients.push(client);
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT pg_current_xact_id()');
  return client;
}

async function relay(options: SteppedOptions = {}): Promise<Stepped> {
  const stepped = steppedRelay(pool, options);
  await stepped.leases.renew();
  return stepped;
}

test('what was in the outbox before the first relay started is published', async () => {
  await append(pool, 'a', 1);
  await append(pool, 'b', 1);
  await append(pool, 'a', 2);
  const { drain, publisher } = await relay();
  expect(await drain()).toEqual({ published: 3, setAside: 0 });
  expect(publisher.published().sort()).toEqual(['a:1', 'a:2', 'b:1']);
  expect(await drain()).toEqual({ published: 0, setAside: 0 });
});

test('a transaction that commits after a later position was published is not lost', async () => {
  const { drain, publisher } = await relay();
  const slow = await begin();
  await append(slow, 'a', 1);
  await append(pool, 'b', 1);
  await drain();
  expect(publisher.published()).toEqual(['b:1']);
  await slow.query('COMMIT');
  await drain();
  expect(publisher.published()).toEqual(['b:1', 'a:1']);
});

test('a transaction that has an id but draws its first position after the look is not lost', async () => {
  const { drain, publisher } = await relay();
  const slow = await begin();
  await append(pool, 'b', 1);
  await drain();
  await append(slow, 'a', 1);
  await append(pool, 'b', 2);
  await drain();
  await slow.query('COMMIT');
  await drain();
  expect(publisher.published().sort()).toEqual(['a:1', 'b:1', 'b:2']);
});

test("a lower position under a higher transaction id, not yet in the snapshot's list, is not lost", async () => {
  const { drain, publisher } = await relay();
  const low = await begin();
  const high = await begin();
  // Neither has ended anything: the snapshot's xmax lies at or below both, so they are in no list.
  await append(high, 'a', 1);
  await append(low, 'b', 1);
  await drain();
  await high.query('COMMIT');
  await drain();
  await low.query('COMMIT');
  await drain();
  expect(publisher.published()).toEqual(['a:1', 'b:1']);
});

/*
 * A plain read of a sequence may meet nextval half-way, and see what it will have given 32 calls later. The moment is
 * too short to be hit by a test: here every plain read meets it.
 */
test('a sequence whose page shows values that are still to be drawn hides no event', async () => {
  await pool.query(`
    ALTER SEQUENCE signalbox.outbox_position RENAME TO position_drawn;
    CREATE VIEW signalbox.outbox_position AS
      SELECT last_value + 32 AS last_value, log_cnt, is_called FROM signalbox.position_drawn;
    CREATE SCHEMA renamed;
    CREATE FUNCTION renamed.pg_sequence_last_value(regclass) RETURNS bigint LANGUAGE sql
      RETURN pg_catalog.pg_sequence_last_value('signalbox.position_drawn')`);
  const url = new URL(database.url);
  url.searchParams.set('options', '-c search_path=renamed,pg_catalog');
  const renamed = poolOf(url.href);
  try {
    const { leases, drain, publisher } = steppedRelay(renamed);
    await leases.renew();
    for (let n = 1; n <= 3; n += 1) {
      await append(pool, 'a', n);
      await drain();
    }
    expect(publisher.published()).toEqual(['a:1', 'a:2', 'a:3']);
  } finally {
    await renamed.end();
  }
});

test('two changes of one row come in the order of the row lock, though the second has the lower id', async () => {
  const { drain, publisher } = await relay();
  const low = await begin();
  const high = await begin();
  await high.query(`UPDATE model SET n = n + 1 WHERE id = 'a'`);
  await append(high, 'a', 1);
  const waiting = low.query(`UPDATE model SET n = n + 1 WHERE id = 'a'`).then(() => append(low, 'a', 2));
  const lockWaits = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await waitFor(async () => (await pool.query(lockWaits)).rowCount, {
    what: 'the second writer to wait for the lock',
  });
  await drain();
  await high.query('COMMIT');
  await waiting;
  await drain();
  await low.query('COMMIT');
  await drain();
  expect(publisher.published()).toEqual(['a:1', 'a:2']);
});

test('several slow transactions that end in any order are all read once', async () => {
  const { drain, publisher } = await relay({ limits: { rows: 2 } });
  const slow = [];
  for (let n = 1; n <= 5; n += 1) {
    const client = await begin();
    await append(client, `s${n}`, 1, { lane: 3 });
    await append(pool, 'b', n, { lane: 3 });
    await append(client, `s${n}`, 2, { lane: 3 });
    slow.push(client);
    await drain();
  }
  for (const index of [3, 0, 4, 1, 2]) {
    await slow[index]?.query('COMMIT');
    await append(pool, 'b', 6 + index, { lane: 3 });
    await drain();
  }
  const published = publisher.published();
  expect(published).toHaveLength(20);
  expect(new Set(published).size).toBe(20);
  for (let n = 1; n <= 5; n += 1)
    expect(published.indexOf(`s${n}:1`)).toBeLessThan(published.indexOf(`s${n}:2`));
});

test('what was rolled back, wholly or to a savepoint, is never read, and its gap stops nothing', async () => {
  const { drain, publisher } = await relay();
  const whole = await begin();
  await append(whole, 'a', 1);
  const part = await begin();
  await append(part, 'b', 1);
  await part.query('SAVEPOINT one');
  await append(part, 'b', 2);
  await part.query('ROLLBACK TO one');
  await part.query('SAVEPOINT two');
  await append(part, 'b', 3);
  await drain();
  await whole.query('ROLLBACK');
  await append(pool, 'c', 1);
  await drain();
  await part.query('COMMIT');
  await drain();
  expect(publisher.published()).toEqual(['c:1', 'b:1', 'b:3']);
});

test('a transaction left open holds nothing up, in this database or in another of the cluster', async () => {
  const other = await createTestDatabase();
  try {
    const { drain, publisher } = await relay();
    const [foreign, own] = [await begin(other.url), await begin()];
    await append(foreign, 'z', 1);
    await append(own, 'y', 1);
    for (let n = 1; n <= 5; n += 1) {
      await append(pool, 'a', n);
      await drain();
    }
    expect(publisher.published()).toEqual(['a:1', 'a:2', 'a:3', 'a:4', 'a:5']);
    await foreign.query('ROLLBACK');
    await own.query('COMMIT');
    await drain();
    expect(publisher.published().at(-1)).toBe('y:1');
  } finally {
    await Promise.all(clients.splice(0).map((client) => client.end()));
    await other.drop();
  }
});

test('a batch is read in pages, and another relay goes on where the last one settled', async () => {
  for (let n = 1; n <= 10; n += 1) await append(pool, 'a', n);
  const slow = await begin();
  await append(slow, 'a', 99);
  const first = await relay({ limits: { rows: 3 } });
  expect(await first.tick.run()).toMatchObject({ published: 3, more: true });
  expect(await first.tick.run()).toMatchObject({ published: 3, more: true });
  await slow.query('COMMIT');
  await append(pool, 'a', 100);
  await first.leases.releaseAll();
  const second = await relay({ limits: { rows: 3 } });
  await second.drain();
  const published = [...first.publisher.published(), ...second.publisher.published()];
  expect(published.slice(0, 10)).toEqual(Array.from({ length: 10 }, (_, n) => `a:${n + 1}`));
  // The late one is no part of the batch that was open when it committed: it comes with the next.
  expect(published.slice(10)).toEqual(['a:99', 'a:100']);
});

test('a page ends when its data reaches the size limit, and what is too large is not even fetched', async () => {
  for (let n = 1; n <= 4; n += 1) await append(pool, 'a', n, { padding: 600 });
  await append(pool, 'a', 5, { padding: 5_000 });
  const { tick, publisher } = await relay({ limits: { pageBytes: 1_600, dataBytes: 2_000 } });
  expect(await tick.run()).toMatchObject({ published: 2, more: true });
  expect(await tick.run()).toMatchObject({ published: 2, more: true });
  expect(await tick.run()).toMatchObject({ published: 0, setAside: 1 });
  expect(publisher.published()).toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
});

test('a key that carries a fifth of all events holds up no other lane, and keeps its order', async () => {
  const total = 5_000;
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     SELECT signalbox.lane_of(key), 'patient.updated', '1.0', 'patient', key, 'test', ${numberedData('n')}
     FROM (SELECT n, CASE WHEN n % 5 = 0 THEN 'hot' ELSE 'k' || n % 97 END AS key FROM generate_series(1, $1::int) n) e
     ORDER BY n`,
    [total],
  );
  const { tick, drain, publisher } = await relay({ limits: { rows: 50 } });
  await tick.run();
  const { rows } = await pool.query<{ lanes: number }>(
    'SELECT count(*)::int AS lanes FROM signalbox.lane WHERE last_position > 0',
  );
  const used = await pool.query('SELECT DISTINCT lane FROM signalbox.outbox');
  expect(rows[0]?.lanes).toBe(used.rowCount);
  await drain();
  const last = new Map<string, number>();
  for (const label of publisher.published()) {
    const [key = '', n] = label.split(':');
    expect(Number(n)).toBeGreaterThan(last.get(key) ?? 0);
    last.set(key, Number(n));
  }
  expect(publisher.published()).toHaveLength(total);
});

test('lanes without events are not written to', async () => {
  const { drain } = await relay();
  await append(pool, 'a', 1);
  await drain();
  const versions = async (): Promise<unknown[]> =>
    (await pool.query('SELECT lane, xmin::text FROM signalbox.lane ORDER BY lane')).rows;
  const before = await versions();
  for (let look = 0; look < 5; look += 1) await drain();
  expect(await versions()).toEqual(before);
});

test('an old cursor of a lane that was idle costs index entries above its floor only', async () => {
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     SELECT 5, 'patient.updated', '1.0', 'patient', 'h', 'test', ${numberedData('0')} FROM generate_series(1, 20000)`,
  );
  const first = await relay();
  await first.drain();
  await first.leases.releaseAll();
  await pool.query('ANALYZE signalbox.outbox');
  const before = await rowsRead();
  expect(before).toBeGreaterThanOrEqual(20_000);
  const next = await relay();
  for (let look = 0; look < 3; look += 1) await next.drain();
  await append(pool, 'x', 1, { lane: 5 });
  expect(await next.drain()).toMatchObject({ published: 1 });
  expect((await rowsRead()) - before).toBeLessThan(1_000);
});

/** How many rows of the outbox were read so far. A session reports its part at the latest when the server ends it. */
async function rowsRead(): Promise<number> {
  await pool.end();
  await database.assertNoLeaks();
  pool = poolOf(database.url);
  const { rows } = await pool.query<{ reads: string }>(
    `SELECT (idx_tup_fetch + seq_tup_read)::text AS reads FROM pg_stat_user_tables
     WHERE relid = 'signalbox.outbox'::regclass`,
  );
  return Number(rows[0]?.reads);
}
