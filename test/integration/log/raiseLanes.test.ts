/** The number of lanes is raised while writers write and relays publish: nothing lost, nothing out of order. */
import { Client, type Pool } from 'pg';
import { openLanes } from '../../../src/outbox/log/openLanes';
import { raiseLanes } from '../../../src/outbox/log/raiseLanes';
import { releaseHeld } from '../../../src/relay/releaseHeld';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { numberedData } from '../../support/events';
import { waitFor } from '../../support/waitFor';
import { append, poolOf, RecordingPublisher, type Stepped, steppedRelay } from '../relay/harness';
import { catalogue } from '../../../src/healthcore/catalogue';

let database: TestDatabase;
let pool: Pool;
/** An aggregate that changes its lane from 16 to 32 lanes, and the two lanes. */
let moving: { id: string; old: number; new: number };

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 16);
  moving = await findMoving();
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function findMoving(): Promise<typeof moving> {
  const { rows } = await pool.query<typeof moving>(
    `SELECT 'm' || n AS id, (hashtextextended('m' || n, 0) & 15)::int AS old, (hashtextextended('m' || n, 0) & 31)::int AS new
     FROM generate_series(1, 100) n WHERE hashtextextended('m' || n, 0) & 16 > 0 ORDER BY n LIMIT 1`,
  );
  const [row] = rows;
  if (!row) throw new Error('No such aggregate');
  return row;
}

const raise = (to: number) => raiseLanes(pool, { to, execute: true });

async function closedLanes(): Promise<number> {
  const { rows } = await pool.query<{ closed: number }>(
    'SELECT count(opens_after_lane)::int AS closed FROM signalbox.lane',
  );
  return rows[0]?.closed ?? 0;
}

async function relay(publisher: RecordingPublisher, rows = 1_000): Promise<Stepped> {
  const stepped = steppedRelay(pool, { publisher, limits: { rows } });
  await stepped.leases.renew();
  return stepped;
}

function release({ leases, publisher }: Stepped): Promise<unknown> {
  const publishing = {
    catalogue,
    publisher,
    topicPrefix: 'test',
    maxMessageBytes: 1_000_000,
    policy: 'wait' as const,
    isStopping: () => false,
    onSent: () => undefined,
    onPoison: () => undefined,
  };
  return releaseHeld({ database: pool, leases, publishing, rows: 100 });
}

describe('a new lane', () => {
  it('takes its share of the aggregates from the change on, and opens at once when nothing waits', async () => {
    expect(await raise(32)).toEqual({ from: 16, to: 32 });
    await append(pool, moving.id, 1);
    const { rows } = await pool.query('SELECT lane FROM signalbox.outbox');
    expect(rows).toEqual([{ lane: moving.new }]);
    const publisher = new RecordingPublisher();
    const { leases, drain } = await relay(publisher);
    expect(leases.current()).toHaveLength(32);
    await drain();
    expect(publisher.published()).toEqual([`${moving.id}:1`]);
  });

  it('waits for what lies unpublished in the old one', async () => {
    await append(pool, moving.id, 1);
    await raise(32);
    await append(pool, moving.id, 2);
    const publisher = new RecordingPublisher();
    const stepped = await relay(publisher);
    expect(stepped.leases.current()).toHaveLength(31);
    expect(stepped.leases.current().map(({ lane }) => lane)).not.toContain(moving.new);
    await stepped.drain();
    expect(publisher.published()).toEqual([`${moving.id}:1`]);
    await stepped.leases.renew();
    expect(stepped.leases.current()).toHaveLength(32);
    await stepped.drain();
    expect(publisher.published()).toEqual([`${moving.id}:1`, `${moving.id}:2`]);
  });

  it('waits for a straggler below all that the old one has published', async () => {
    const publisher = new RecordingPublisher();
    const stepped = await relay(publisher);
    const slow = await pool.connect();
    await slow.query('BEGIN');
    await append(slow, moving.id, 1);
    await append(pool, 'other', 1, { lane: moving.old });
    await stepped.drain();
    await slow.query('COMMIT');
    slow.release();
    await raise(32);
    await append(pool, moving.id, 2);
    await stepped.leases.renew();
    expect(await closedLanes()).toBe(1);
    await stepped.drain();
    await stepped.leases.renew();
    await stepped.drain();
    expect(publisher.published()).toEqual(['other:1', `${moving.id}:1`, `${moving.id}:2`]);
  });

  it('waits while the old one is in the middle of a batch', async () => {
    for (let n = 1; n <= 5; n += 1) await append(pool, moving.id, n);
    const publisher = new RecordingPublisher();
    const stepped = await relay(publisher, 2);
    await stepped.tick.run();
    await stepped.tick.discard();
    await raise(32);
    await append(pool, moving.id, 6);
    await stepped.leases.renew();
    expect(await closedLanes()).toBe(1);
    await stepped.drain();
    await stepped.leases.renew();
    await stepped.drain();
    expect(publisher.published()).toEqual([1, 2, 3, 4, 5, 6].map((n) => `${moving.id}:${n}`));
  });

  it('opens when the old one has published all of its batch and idles since', async () => {
    for (let n = 1; n <= 4; n += 1) await append(pool, moving.id, n);
    const publisher = new RecordingPublisher();
    // The last page is a full one: that nothing follows is known in memory, and not written down.
    const stepped = await relay(publisher, 2);
    await stepped.drain();
    await raise(32);
    await append(pool, moving.id, 5);
    await stepped.leases.renew();
    expect(await closedLanes()).toBe(0);
    await stepped.drain();
    expect(publisher.published()).toEqual([1, 2, 3, 4, 5].map((n) => `${moving.id}:${n}`));
  });

  it('opens on a busy system too, where the old one always has something to publish', async () => {
    await append(pool, moving.id, 1);
    await raise(32);
    const stepped = await relay(new RecordingPublisher(), 2);
    for (let n = 1; n <= 8; n += 1) await append(pool, 'busy', n, { lane: moving.old });
    for (let looks = 0; looks < 8 && (await closedLanes()) > 0; looks += 1) {
      for (let n = 1; n <= 2; n += 1) await append(pool, 'busy', n, { lane: moving.old });
      await stepped.tick.run();
      await openLanes(pool);
    }
    await stepped.tick.discard();
    expect(await closedLanes()).toBe(0);
  });

  it('holds its events back behind one that is set aside in the old lane, also between two relays', async () => {
    const publisher = new RecordingPublisher();
    publisher.answer = () => ({ kind: 'poison', type: 'INVALID_RECORD', reason: 'refused' });
    const first = await relay(publisher);
    await append(pool, moving.id, 1);
    await append(pool, moving.id, 2);
    await first.drain();
    publisher.answer = () => ({ kind: 'sent' });
    await raise(32);
    await append(pool, moving.id, 3);
    const second = steppedRelay(pool, { publisher });
    await second.leases.renew();
    await first.leases.renew();
    await first.leases.releaseSurplus();
    await second.leases.renew();
    expect(
      new Set([...first.leases.current(), ...second.leases.current()].map(({ lane }) => lane)).size,
    ).toBe(32);
    for (const one of [first, second]) await one.drain();
    expect(publisher.published()).toEqual([]);
    await pool.query(`UPDATE signalbox.parked_event SET state = 'held' WHERE state = 'parked'`);
    const owners = [first, second].sort((a) =>
      a.leases.current().some(({ lane }) => lane === moving.new) ? -1 : 1,
    );
    // The new lane's owner comes first, and must wait all the same.
    for (const one of [...owners, ...owners]) await release(one);
    await append(pool, moving.id, 4);
    for (const one of owners) await one.drain();
    expect(publisher.published()).toEqual([1, 2, 3, 4].map((n) => `${moving.id}:${n}`));
  });
});

describe('a change', () => {
  it('is refused while a transaction that has appended stays open, and changes nothing', async () => {
    const slow = await pool.connect();
    await slow.query('BEGIN');
    await append(slow, moving.id, 1);
    await expect(raise(32)).rejects.toThrow('Nothing was changed');
    await slow.query('COMMIT');
    slow.release();
    await append(pool, moving.id, 2);
    const { rows } = await pool.query('SELECT DISTINCT lane FROM signalbox.outbox');
    expect(rows).toEqual([{ lane: moving.old }]);
  });

  it.each([16, 24, 8, 512])('to %s lanes is refused', async (to) => {
    await expect(raise(to)).rejects.toThrow('must be a higher power of two');
  });

  it('is refused while lanes of the last one are closed', async () => {
    await append(pool, moving.id, 1);
    await raise(32);
    await expect(raise(64)).rejects.toThrow('are still closed');
    await (await relay(new RecordingPublisher())).drain();
    await openLanes(pool);
    expect(await raise(64)).toEqual({ from: 32, to: 64 });
  });

  it('reaches statements that were prepared before, also in a transaction with an old snapshot', async () => {
    const client = new Client({ connectionString: database.url });
    await client.connect();
    const insert = (name: string, n: number) =>
      client.query({
        name,
        text: `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
          SELECT signalbox.lane_of(id), 'patient.updated', '1.0', 'patient', id, 'test', ${numberedData('n')}
          FROM ROWS FROM (unnest($1::text[]), unnest($2::int[])) AS e(id, n)`,
        values: [[moving.id], [n]],
      });
    // Often enough that Postgres keeps the plan.
    for (let n = 1; n <= 7; n += 1) await insert('kept', n);
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    await client.query('SELECT count(*) FROM signalbox.lane');
    await raise(32);
    await insert('kept', 8);
    await client.query('COMMIT');
    await client.end();
    const { rows } = await pool.query('SELECT lane FROM signalbox.outbox ORDER BY position DESC LIMIT 2');
    expect(rows).toEqual([{ lane: moving.new }, { lane: moving.old }]);
  });

  it('loses nothing and keeps the order of each aggregate, with writers and relays at work', async () => {
    const aggregates = 60;
    await pool.query('CREATE TABLE counter (id text PRIMARY KEY, n int NOT NULL DEFAULT 0)');
    await pool.query(`INSERT INTO counter SELECT 'a' || i FROM generate_series(1, $1::int) i`, [aggregates]);
    const publisher = new RecordingPublisher();
    const state = { writing: true };
    const writers = Array.from({ length: 6 }, () => write(aggregates, () => state.writing));
    const relays = [1, 5, 50].map((rows) => steppedRelay(pool, { publisher, limits: { rows } }));
    const publishing = { catalogue, busy: true };
    const publish = async (): Promise<void> => {
      while (publishing.busy) {
        for (const one of relays) {
          await one.leases.renew();
          for (let looks = 0; looks < 3; looks += 1) await one.tick.run();
          await one.leases.releaseSurplus();
        }
      }
    };
    const running = publish();
    const published = (count: number): Promise<unknown> =>
      waitFor(() => publisher.messages.length >= count, { what: `${count} events`, deadlineMs: 120_000 });
    for (const to of [32, 64]) {
      await published(publisher.messages.length + 100);
      await waitFor(() => raise(to).catch(retryable), {
        what: 'a moment for the change',
        deadlineMs: 120_000,
      });
    }
    await published(publisher.messages.length + 200);
    state.writing = false;
    await Promise.all(writers);
    publishing.busy = false;
    await running;
    for (const one of relays) await one.leases.releaseAll();
    const last = await relay(publisher);
    for (let round = 0; round < 4; round += 1) {
      await last.drain();
      await last.leases.renew();
    }
    await last.drain();

    const { rows } = await pool.query<{ id: string; n: number }>('SELECT id, n FROM counter');
    const seen = new Map<string, number[]>();
    for (const label of publisher.published()) {
      const [id = '', n] = label.split(':');
      seen.set(id, [...(seen.get(id) ?? []), Number(n)]);
    }
    for (const { id, n } of rows) {
      expect({ id, published: seen.get(id) ?? [] }).toEqual({
        id,
        published: Array.from({ length: n }, (_none, index) => index + 1),
      });
    }
    const lanes = await pool.query('SELECT DISTINCT lane FROM signalbox.outbox');
    expect(lanes.rows.length).toBeGreaterThan(32);
  }, 300_000);
});

/** The lanes of the last change may still be closed; writers may have left no gap. */
function retryable(error: Error): boolean {
  if (/still closed|Nothing was changed/.test(error.message)) return false;
  throw error;
}

/** Each change of an aggregate adds one to its counter and appends that number. */
async function write(aggregates: number, isOn: () => boolean): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  while (isOn()) {
    const ids = [Math.random(), Math.random()].map((chance) => 1 + Math.floor(chance * aggregates));
    await client.query('BEGIN');
    for (const id of ids.sort((a, b) => a - b)) {
      const { rows } = await client.query<{ n: number }>(
        'UPDATE counter SET n = n + 1 WHERE id = $1 RETURNING n',
        [`a${id}`],
      );
      await append(client, `a${id}`, rows[0]?.n ?? 0);
    }
    if (Math.random() < 0.1) await client.query('SELECT pg_sleep(0.01)');
    await client.query(Math.random() < 0.1 ? 'ROLLBACK' : 'COMMIT');
  }
  await client.end();
}
