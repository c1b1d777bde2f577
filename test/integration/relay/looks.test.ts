/** How much a look takes at a time, and what it tells of itself. */
import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { numberedData } from '../../support/events';
import { append, poolOf, steppedRelay } from './harness';

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
});

afterEach(async () => {
  await pool.end();
  await database.assertNoLeaks();
  await database.drop();
});

/** Rows by the thousand, `perLane` for each of the first `lanes` lanes. */
async function fill(lanes: number, perLane: number): Promise<void> {
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     SELECT n % $1::int, 'patient.updated', '1.0', 'patient', 'p' || n % $1::int, 'test', ${numberedData('n / $1::int')}
     FROM generate_series(0, $1::int * $2::int - 1) n ORDER BY n`,
    [lanes, perLane],
  );
}

test('lanes that all have a backlog share a look, so that memory does not grow with their number', async () => {
  await fill(16, 600);
  const { leases, tick, publisher, drain } = steppedRelay(pool);
  await leases.renew();
  expect(await tick.run()).toMatchObject({ published: 4_000, more: true });
  const lanes = new Set(publisher.messages.map(({ key }) => key));
  expect(lanes.size).toBe(16);
  expect(await drain()).toMatchObject({ published: 16 * 600 - 4_000 });
});

test('a lane that alone has a backlog gives whole pages', async () => {
  await fill(1, 3_000);
  const { leases, tick, publisher } = steppedRelay(pool);
  await leases.renew();
  // Of the first look nobody knows yet which lanes are busy; the second is read ahead with what it showed.
  const sizes = [await tick.run(), await tick.run(), await tick.run()].map(({ published }) => published);
  expect(sizes).toEqual([250, 1_000, 1_000]);
  await tick.discard();
  expect(publisher.published()).toEqual(Array.from({ length: 2_250 }, (_, n) => `p0:${n}`));
});

test('after a look that found nothing, no lane is thought to be alone', async () => {
  await fill(1, 1_300);
  const { leases, tick, drain } = steppedRelay(pool);
  await leases.renew();
  await drain();
  await fill(16, 600);
  expect(await tick.run()).toMatchObject({ published: 4_000, more: true });
  await drain();
});

test('the time of each step is measured: of looks without events only the reading', async () => {
  const { leases, tick, registry } = steppedRelay(pool);
  const count = async (step: string): Promise<number> => {
    const text = await registry.metrics();
    const [, found = '0'] =
      new RegExp(`signalbox_relay_step_seconds_count\\{step="${step}"\\} (\\d+)`).exec(text) ?? [];
    return Number(found);
  };
  await leases.renew();
  await tick.run();
  expect([await count('read'), await count('publish'), await count('settle')]).toEqual([1, 0, 0]);
  await append(pool, 'p1', 1);
  await tick.run();
  expect([await count('read'), await count('publish'), await count('settle')]).toEqual([2, 1, 1]);
});
