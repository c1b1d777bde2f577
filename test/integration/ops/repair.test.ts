import { type Pool, type PoolClient } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { ops, type Result } from './support';
import { append, poolOf, steppedRelay } from '../relay/harness';

let database: TestDatabase;
let pool: Pool;
let open: PoolClient;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
  open = await pool.connect();
});

afterEach(async () => {
  open.release();
  await pool.end();
  await database.drop();
});

/**
 * What a restore into another cluster leaves: ids and snapshots from far ahead of this one, under another identifier.
 * The numbers are moved by the same amount everywhere, so that they keep saying what they said.
 */
async function pretendRestored(): Promise<void> {
  const ahead = 1_000_000_000n;
  const moved = (snapshot: string): string => snapshot.replaceAll(/\d+/g, (id) => String(BigInt(id) + ahead));
  await pool.query(`UPDATE signalbox.outbox SET txid = (txid::text::bigint + $1)::text::xid8`, [ahead]);
  const { rows } = await pool.query<{ lane: number; done: string; batch: string | null }>(
    'SELECT lane, done_snapshot::text AS done, batch_snapshot::text AS batch FROM signalbox.lane',
  );
  for (const { lane, done, batch } of rows) {
    await pool.query(
      `UPDATE signalbox.lane SET done_snapshot = $2, done_xid = (done_xid::text::bigint + $4)::text::xid8,
         batch_snapshot = $3, batch_xid = (batch_xid::text::bigint + $4)::text::xid8 WHERE lane = $1`,
      [lane, moved(done), batch && moved(batch), ahead],
    );
  }
  await pool.query('UPDATE signalbox.cluster SET system_identifier = 1');
  await pool.query('DELETE FROM signalbox.relay');
}

const repair = (...args: string[]): Promise<Result> =>
  ops({ DATABASE_URL: database.url }, 'outbox', 'repair', ...args);

describe('ops outbox repair', () => {
  it('publishes after a restore what had not been published, stragglers included, and nothing else', async () => {
    const before = steppedRelay(pool, { limits: { rows: 2 } });
    await open.query('BEGIN');
    await append(open, 'late', 1);
    for (let n = 1; n <= 5; n += 1) await append(pool, `early-${n}`, n);
    await before.leases.renew();
    await before.drain();
    expect(before.publisher.published()).toHaveLength(5);
    // Lower than all that was published, and committed after it: no position tells that it still waits.
    await open.query('COMMIT');
    await append(pool, 'early-1', 6);
    await before.leases.releaseAll();
    await pretendRestored();
    await append(pool, 'early-1', 7);

    const refused = steppedRelay(pool);
    await expect(refused.leases.renew()).rejects.toThrow('npx signalbox ops outbox repair');
    await pool.query('DELETE FROM signalbox.relay');

    const dry = await repair();
    expect(dry.code).toBe(0);
    expect(dry.output).toContain('3 events would be published. Nothing was changed');
    await expect(steppedRelay(pool).leases.renew()).rejects.toThrow('outbox repair');
    await pool.query('DELETE FROM signalbox.relay');

    const real = await repair('--execute', '--json');
    expect(real.code).toBe(0);
    expect(real.json()).toMatchObject({ executed: true, waiting: 3 });

    const after = steppedRelay(pool);
    await after.leases.renew();
    await after.drain();
    await append(pool, 'early-2', 8);
    await after.drain();
    expect(after.publisher.published().sort()).toEqual(['early-1:6', 'early-1:7', 'early-2:8', 'late:1']);
  });

  it('goes on in the middle of a batch', async () => {
    const before = steppedRelay(pool, { limits: { rows: 2 } });
    await before.leases.renew();
    for (let n = 1; n <= 6; n += 1) await append(pool, 'one', n);
    await before.tick.run();
    await before.tick.discard();
    await before.leases.releaseAll();
    await pretendRestored();
    expect((await repair('--execute')).code).toBe(0);
    const after = steppedRelay(pool);
    await after.leases.renew();
    await after.drain();
    expect([...before.publisher.published(), ...after.publisher.published()]).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `one:${n}`),
    );
  });

  it('is right when published events have been deleted, and when it is run twice', async () => {
    const before = steppedRelay(pool);
    await before.leases.renew();
    for (let n = 1; n <= 3; n += 1) for (const key of ['a', 'b']) await append(pool, key, n);
    await before.drain();
    await append(pool, 'a', 4);
    await before.leases.releaseAll();
    await pool.query(`DELETE FROM signalbox.outbox WHERE aggregate_id = 'b' OR data->>'n' = '1'`);
    await pretendRestored();
    for (let run = 1; run <= 2; run += 1) {
      const real = await repair('--execute', '--json');
      expect(real.code).toBe(0);
      expect(real.json()).toMatchObject({ waiting: 1 });
    }
    await append(pool, 'b', 4);
    const after = steppedRelay(pool);
    await after.leases.renew();
    await after.drain();
    expect(after.publisher.published().sort()).toEqual(['a:4', 'b:4']);
    const { rows } = await pool.query(
      'SELECT FROM signalbox.outbox o JOIN signalbox.lane l USING (lane) WHERE NOT pg_visible_in_snapshot(o.txid, l.done_snapshot)',
    );
    expect(rows).toEqual([]);
  });

  it('leaves no id of the other cluster behind, which a transaction of this one may be given later', async () => {
    const before = steppedRelay(pool);
    await before.leases.renew();
    await append(pool, 'a', 1);
    await before.drain();
    await before.leases.releaseAll();
    await pretendRestored();
    expect((await repair('--execute')).code).toBe(0);
    const { rows } = await pool.query<{ txid: string }>('SELECT txid::text FROM signalbox.outbox');
    expect(rows).toEqual([{ txid: '0' }]);
  });

  it('refuses while a relay is alive, in one line that names it', async () => {
    await steppedRelay(pool, { instance: 'relay-a' }).leases.renew();
    const refused = await repair('--execute');
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('Relays are running (relay-a)');
    expect(refused.output).not.toContain('    at ');
  });
});
