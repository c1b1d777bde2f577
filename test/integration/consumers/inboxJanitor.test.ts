import { Pool } from 'pg';
import { trimInbox } from '../../../src/consumers/inboxJanitor';
import { createTestDatabase } from '../../support/database';

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
