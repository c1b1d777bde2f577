/** On a server of its own: slots belong to the whole server, and would be found by everybody else's doctor. */
import { Pool } from 'pg';
import { replicationSlots } from '../../../src/ops/doctor/replicationSlots';
import { temporary, type Temporary } from '../postgres/temporary';

jest.setTimeout(120_000);

let place: Temporary;
let pool: Pool;

beforeAll(async () => {
  place = await temporary();
  pool = new Pool({ connectionString: (await place.start()).url, max: 2 });
});
afterAll(async () => {
  await pool.end();
  await place.cleanUp();
});

it('names each replication slot that nothing reads, what it holds, and how to be rid of it', async () => {
  expect(await replicationSlots(pool)).toEqual([
    { check: 'replication slots', status: 'ok', detail: 'there are none' },
  ]);
  const connection = await pool.connect();
  // One of a session ends with it, and is nobody's concern.
  await connection.query(`SELECT pg_create_physical_replication_slot('of_a_session', true, true)`);
  expect(await replicationSlots(pool)).toMatchObject([{ status: 'ok', detail: 'there are none' }]);
  connection.release(true);

  await pool.query(`SELECT pg_create_physical_replication_slot('left_behind', true)`);
  await pool.query(`CREATE TABLE filler AS SELECT repeat('x', 1000) AS text FROM generate_series(1, 4000)`);
  const [finding] = await replicationSlots(pool);
  expect(finding).toMatchObject({
    status: 'warn',
    detail: expect.stringMatching(
      /^the slot "left_behind" is not in use and holds [1-9]\d* MB of Postgres' log$/,
    ),
    remedy: expect.stringContaining(`SELECT pg_drop_replication_slot('left_behind')`),
  });

  await pool.query(`SELECT pg_drop_replication_slot('left_behind')`);
  expect(await replicationSlots(pool)).toMatchObject([{ status: 'ok', detail: 'there are none' }]);
});
