/** The schema "signalbox" as the package ships it: files that may be run again, whatever has happened since. */
import { Client } from 'pg';
import { readOwnSql } from '../../../src/outbox/sql/files';
import { createEmptyDatabase, type TestDatabase } from '../../support/database';

let database: TestDatabase;
let client: Client;

beforeEach(async () => {
  database = await createEmptyDatabase();
  client = new Client({ connectionString: database.url });
  await client.connect();
});
afterEach(async () => {
  await client.end();
  await database.drop();
});

async function install(): Promise<void> {
  for (const { sql } of await readOwnSql()) await client.query(sql);
}

/** Everything that the catalogues say of the schema. */
async function describeSchema(): Promise<unknown> {
  const { rows } = await client.query(`
    SELECT table_name || '.' || column_name AS name,
      concat_ws(' ', data_type, is_nullable, column_default, identity_generation) AS what
    FROM information_schema.columns WHERE table_schema = 'signalbox'
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'signalbox'::regnamespace
    UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'signalbox'
    UNION ALL SELECT proname, prosrc || pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'signalbox'::regnamespace
    UNION ALL SELECT relname, reloptions::text FROM pg_class WHERE relnamespace = 'signalbox'::regnamespace
    ORDER BY 1, 2`);
  return rows;
}

it('can be run again: nothing is changed, and no event, cursor or number of lanes is lost', async () => {
  await install();
  const before = await describeSchema();
  await install();
  expect(await describeSchema()).toEqual(before);

  await client.query(`
    CREATE OR REPLACE FUNCTION signalbox.lane_of(aggregate_id text) RETURNS smallint
      LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE RETURN (hashtextextended(aggregate_id, 0) & 31)::smallint;
    INSERT INTO signalbox.lane (lane) SELECT generate_series(16, 31);
    UPDATE signalbox.lane SET epoch = 7;
    INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
      VALUES (signalbox.lane_of('1'), 'order.placed', '1.0', 'order', '1', 'shop', '{}')`);
  const raised = await describeSchema();
  await install();
  expect(await describeSchema()).toEqual(raised);
  const { rows } = await client.query(`
    SELECT (SELECT count(*)::int FROM signalbox.outbox) AS events,
      (SELECT count(*)::int FROM signalbox.lane WHERE epoch = 7) AS lanes`);
  expect(rows).toEqual([{ events: 1, lanes: 32 }]);
});

it('names everything with its schema, so that no search path matters', async () => {
  await client.query('CREATE SCHEMA elsewhere; SET search_path TO elsewhere');
  await install();
  const { rows } = await client.query(
    "SELECT relname FROM pg_class WHERE relnamespace IN ('elsewhere'::regnamespace, 'public'::regnamespace)",
  );
  expect(rows).toEqual([]);
});
