import { Pool } from 'pg';
import { InboxJanitor, trimInbox } from '../../../src/consumers/inboxJanitor';
import { createTestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';

it('trims what is older than the inbox remembers, a bounded number at a time, and nothing younger', async () => {
  const database = await createTestDatabase();
  const pool = new Pool({ connectionString: database.url, max: 1 });
  try {
    await pool.query(`INSERT INTO signalbox.inbox (consumer, event_id, processed_at)
      SELECT 'c', gen_random_uuid(), now() - interval '2 hours' FROM generate_series(1, 5001)
      UNION ALL SELECT 'young', gen_random_uuid(), now() - interval '30 minutes' FROM generate_series(1, 3)`);
    const hour = 3_600_000;
    expect([await trimInbox(pool, hour), await trimInbox(pool, hour), await trimInbox(pool, hour)]).toEqual([
      5_000, 1, 0,
    ]);
    const { rows } = await pool.query(
      'SELECT consumer, count(*)::int AS n FROM signalbox.inbox GROUP BY consumer',
    );
    expect(rows).toEqual([{ consumer: 'young', n: 3 }]);
  } finally {
    await pool.end();
    await database.drop();
  }
});

it('keeps everything while it is not known, or is unlimited, how long topics keep theirs', async () => {
  const database = await createTestDatabase();
  const pool = new Pool({ connectionString: database.url, max: 1 });
  const answers = [() => Promise.reject(new Error('Kafka is away')), async () => Infinity, async () => 1_000];
  const left: number[] = [];
  const keepMs = async (): Promise<number> => {
    const { rows } = await pool.query<{ n: number }>('SELECT count(*)::int AS n FROM signalbox.inbox');
    left.push(rows[0]?.n ?? -1);
    return (answers.shift() ?? (async () => 1_000))();
  };
  const janitor = new InboxJanitor({ pool, keepMs, logger: silentLogger(), intervalMs: 10 });
  try {
    await pool.query(`INSERT INTO signalbox.inbox (consumer, event_id, processed_at)
      VALUES ('c', gen_random_uuid(), now() - interval '1 hour')`);
    await janitor.start();
    await waitFor(() => left.length >= 4, { what: 'four rounds' });
    expect(left.slice(0, 4)).toEqual([1, 1, 1, 0]);
  } finally {
    await janitor.stop();
    await pool.end();
    await database.drop();
  }
});
