import type { Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { append, poolOf, RecordingPublisher, type Stepped, steppedRelay } from './harness';

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 6);
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function owners(): Promise<Map<string, number>> {
  const { rows } = await pool.query<{ owner: string; lanes: number }>(
    'SELECT coalesce(owner::text, $1) AS owner, count(*)::int AS lanes FROM signalbox.lane GROUP BY 1',
    ['nobody'],
  );
  return new Map(rows.map(({ owner, lanes }) => [owner, lanes]));
}

/** Ends a relay's lease as time would. */
async function expire({ id }: Stepped): Promise<void> {
  await pool.query(
    `UPDATE signalbox.relay SET expires_at = clock_timestamp() - interval '1 s' WHERE id = $1`,
    [id],
  );
}

/** What a relay's own loops do once. */
async function round(relays: readonly Stepped[]): Promise<void> {
  for (const { leases } of relays) {
    await leases.renew();
    await leases.releaseSurplus();
  }
}

test('relays share the lanes evenly, and again evenly when one joins or signs off', async () => {
  const [a, b, c] = [steppedRelay(pool), steppedRelay(pool), steppedRelay(pool)];
  await round([a]);
  expect(a.leases.current()).toHaveLength(16);
  await round([a, b]);
  await round([a, b]);
  expect([...(await owners()).values()]).toEqual([8, 8]);
  await round([a, b, c]);
  await round([a, b, c]);
  expect([...(await owners()).values()].sort((x, y) => x - y)).toEqual([5, 5, 6]);
  await b.leases.releaseAll();
  await round([a, c]);
  await round([a, c]);
  expect([...(await owners()).values()]).toEqual([8, 8]);
});

test('lanes whose giving up has failed half-way are given up by the next renewal', async () => {
  const lossy = poolOf(database.url, 2);
  try {
    const [a, b] = [steppedRelay(lossy), steppedRelay(pool)];
    await round([a]);
    await b.leases.renew();
    await a.leases.renew();
    const lost = jest
      .spyOn(lossy, 'query')
      .mockImplementationOnce(() => Promise.reject(new Error('cut')) as never);
    await expect(a.leases.releaseSurplus()).rejects.toThrow('cut');
    lost.mockRestore();
    await round([a, b]);
    await round([a, b]);
    expect([...(await owners()).values()]).toEqual([8, 8]);
    expect(b.leases.current()).toHaveLength(8);
  } finally {
    await lossy.end();
  }
});

test("a dead relay's lanes are taken over when its lease ends, not before", async () => {
  const [dead, heir] = [steppedRelay(pool), steppedRelay(pool)];
  await round([dead]);
  await heir.leases.renew();
  expect(heir.leases.current()).toHaveLength(0);
  await expire(dead);
  await heir.leases.renew();
  expect(heir.leases.current()).toHaveLength(16);
});

test('a relay that starts again under its name need not wait for its own lease', async () => {
  const before = steppedRelay(pool, { instance: 'pod-1' });
  await round([before]);
  const after = steppedRelay(pool, { instance: 'pod-1' });
  await after.leases.renew();
  expect(after.leases.current()).toHaveLength(16);
});

test('a relay that lost its lease moves no cursor back and stops publishing those lanes', async () => {
  const publisher = new RecordingPublisher();
  const stale = steppedRelay(pool, { publisher });
  const owner = steppedRelay(pool, { publisher });
  await stale.leases.renew();
  await append(pool, 'a', 1);
  await append(pool, 'a', 2);
  // The stale relay is cut off between Kafka's answer and its settling; meanwhile the next owner gets further.
  publisher.answer = async () => {
    publisher.answer = () => ({ kind: 'sent' });
    await expire(stale);
    await owner.leases.renew();
    await owner.drain();
    await append(pool, 'a', 3);
    await owner.drain();
    return { kind: 'sent' };
  };
  const cursor = async (): Promise<unknown> =>
    (
      await pool.query(
        `SELECT done_snapshot::text, last_position FROM signalbox.lane WHERE lane = signalbox.lane_of('a')`,
      )
    ).rows[0];
  await stale.tick.run();
  const settled = await cursor();
  const { rows } = await pool.query<{ lane: number }>(`SELECT signalbox.lane_of('a') AS lane`);
  const lane = rows[0]?.lane;
  const events = publisher.messages.length;
  await append(pool, 'a', 4);
  await stale.tick.run();
  expect(publisher.messages).toHaveLength(events);
  expect(await cursor()).toEqual(settled);
  expect(stale.leases.current().map(({ lane }) => lane)).not.toContain(lane);
  await owner.drain();
  // The first copies are in order, whatever was sent twice.
  expect([...new Set(publisher.published())]).toEqual(['a:1', 'a:2', 'a:3', 'a:4']);
});

test('a relay that could not renew for a lease publishes nothing, though nobody has taken its lanes', async () => {
  const clock = { ms: 0 };
  const relay = steppedRelay(pool, { leaseMs: 600_000, now: () => clock.ms });
  await relay.leases.renew();
  await append(pool, 'a', 1);
  clock.ms = 600_000;
  expect(await relay.tick.run()).toMatchObject({ published: 0 });
  await relay.leases.renew();
  expect(await relay.drain()).toMatchObject({ published: 1 });
});

test('relays that start, stop and die at random lose nothing and keep the order of each aggregate', async () => {
  const publisher = new RecordingPublisher();
  // Kafka takes its time, so that relays overlap.
  publisher.answer = () => new Promise((resolve) => setImmediate(() => resolve({ kind: 'sent' })));
  const counts = new Map<string, number>();
  const state = { writing: true };
  const writer = async (first: number): Promise<void> => {
    for (let index = first; state.writing; index = (index + 2) % 20) {
      const n = (counts.get(`k${index}`) ?? 0) + 1;
      await append(pool, `k${index}`, n);
      counts.set(`k${index}`, n);
    }
  };
  const writing = Promise.all([writer(0), writer(1)]);
  const alive = new Set<Stepped>();
  for (let turn = 0; turn < 120; turn += 1) {
    const dice = Math.random();
    const victim = [...alive][Math.floor(Math.random() * alive.size)];
    if (alive.size < 3 && dice < 0.4) alive.add(steppedRelay(pool, { publisher, limits: { rows: 5 } }));
    else if (victim && dice < 0.5) {
      alive.delete(victim);
      if (dice < 0.45) await victim.leases.releaseAll();
      // Dead in the middle of something: what it has begun goes on, under a lease that has ended.
      else void expire(victim).then(() => victim.tick.run().catch(() => undefined));
    }
    await Promise.all(
      [...alive].map(async ({ leases, tick }) => {
        await leases.renew();
        await tick.run();
        await tick.run();
        await leases.releaseSurplus();
      }),
    );
  }
  state.writing = false;
  await writing;
  for (const relay of alive) await relay.leases.releaseAll();
  const last = steppedRelay(pool, { publisher });
  await pool.query('DELETE FROM signalbox.relay');
  await last.leases.renew();
  await last.drain();
  for (const [key, count] of counts) {
    const mine = publisher.published().filter((label) => label.startsWith(`${key}:`));
    expect([...new Set(mine)]).toEqual(Array.from({ length: count }, (_, n) => `${key}:${n + 1}`));
  }
});

test('cursors of another database cluster, or of a later state of this one, are refused with the way out', async () => {
  await append(pool, 'a', 1);
  const first = steppedRelay(pool);
  await first.leases.renew();
  await first.drain();
  await first.leases.releaseAll();
  const refused = async (): Promise<string> => {
    const relay = steppedRelay(pool);
    const error = await relay.leases.renew().then(
      () => undefined,
      (reason: unknown) => reason,
    );
    await append(pool, 'a', 2);
    await relay.drain();
    expect(relay.publisher.published()).toHaveLength(error ? 0 : 4);
    await relay.leases.releaseAll();
    return error instanceof Error ? `${error.name}: ${error.message}` : 'no error';
  };
  const undo = 'UPDATE signalbox.lane SET done_xid = $1, done_floor = $2 WHERE lane = 3';
  await pool.query('UPDATE signalbox.cluster SET system_identifier = system_identifier + 1');
  expect(await refused()).toMatch(/^UserError: .*restored or upgraded.*npx signalbox ops outbox repair/);
  await pool.query('UPDATE signalbox.cluster SET system_identifier = system_identifier - 1');
  await pool.query(undo, ['99999999999', 0]);
  expect(await refused()).toMatch(/^UserError: .*transaction 99999999999.*npx signalbox ops outbox repair/);
  await pool.query(undo, ['0', 99_999]);
  expect(await refused()).toMatch(/^UserError: .*position 99999.*npx signalbox ops outbox repair/);
  await pool.query(undo, ['0', 0]);
  expect(await refused()).toBe('no error');
});
