/* Databases that are equal but for how their events are captured, and a look at them past all of our code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client } from 'pg';
import { findProjectRoot } from '../../../dev/kafka/projectRoot';
import { catalogue } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { withSignals } from '../../../src/outbox/prisma/trigger/withSignals';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { generate } from '../../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { createPrismaClient, type PrismaClientOptions } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import type { Writer } from './perform';

export type EngineName = 'plain' | 'middleware' | 'trigger';

export type TableRow = Readonly<Record<string, string | null>> & { readonly id: string };

/** A row of the outbox as far as two engines must agree on it, in the order of positions. */
export interface StoredEvent {
  readonly event_type: string;
  readonly event_version: string;
  readonly aggregate_type: string;
  readonly aggregate_id: string;
  readonly lane_fits: boolean;
  readonly source: string;
  readonly correlation_id: string | null;
  readonly causation_id: string | null;
  readonly actor: string | null;
  readonly traceparent: string | null;
  /** As it is stored, letter for letter. */
  readonly data: string;
}

export interface Content {
  readonly patients: readonly TableRow[];
  readonly appointments: readonly TableRow[];
}

export interface Look extends Content {
  /** What has been appended since the last look. */
  readonly events: readonly StoredEvent[];
}

export interface Subject {
  readonly engine: EngineName;
  readonly client: Writer;
  look(): Promise<Look>;
  /** Empties the tables without events; or puts back, as quietly, what was kept under a name. */
  clear(kept?: string): Promise<void>;
  /** Remembers what the tables hold. */
  keep(name: string): Promise<void>;
  readonly kept: ReadonlySet<string>;
  close(): Promise<void>;
}

/** The tables, each row without its clocks, and the new events, in one round trip. */
const lookSql = `
WITH event AS (SELECT * FROM signalbox.outbox WHERE position > $1)
SELECT
  (SELECT coalesce(json_agg(to_jsonb(p) - '{created_at,updated_at}'::text[] ORDER BY p.id), '[]') FROM patients p)
    AS patients,
  (SELECT coalesce(json_agg(to_jsonb(a) - '{created_at,updated_at}'::text[] ORDER BY a.id), '[]') FROM appointments a)
    AS appointments,
  (SELECT coalesce(json_agg(json_build_object('event_type', event_type, 'event_version', event_version,
      'aggregate_type', aggregate_type, 'aggregate_id', aggregate_id, 'lane_fits', lane = signalbox.lane_of(aggregate_id),
      'source', source, 'correlation_id', correlation_id, 'causation_id', causation_id, 'actor', actor,
      'traceparent', traceparent, 'data', data::text) ORDER BY position), '[]') FROM event) AS events,
  (SELECT coalesce(max(position), $1)::text FROM event) AS last`;

/** In the order in which they can be filled, with the columns that can be written. */
const columns = {
  patients: 'id, name, email, phone, date_of_birth, clinical_notes, created_at, updated_at',
  appointments: 'id, patient_id, practitioner, starts_at, ends_at, status, reason, created_at, updated_at',
};
const tables = Object.entries(columns);
const emptySql = 'DELETE FROM appointments; DELETE FROM patients';
const truncateSql = 'TRUNCATE appointments, patients, signalbox.outbox, signalbox.parked_event';
const keepSql = (name: string): string =>
  tables.map(([table, all]) => `CREATE TEMP TABLE ${table}_${name} AS SELECT ${all} FROM ${table}`).join(';');
const putBackSql = (name: string): string =>
  tables.map(([table, all]) => `INSERT INTO ${table} (${all}) TABLE ${table}_${name}`).join(';');
/** Triggers are out of force for a replica, so that nothing is captured. */
const quietly = (sql: readonly string[]): string =>
  ['SET session_replication_role = replica', ...sql, 'RESET session_replication_role'].join(';');

/** How many sequences share a heap before it is thrown away: dead rows cost more and more. */
const sequencesPerHeap = 25;

const source = 'clinic';

/** `triggersToo`: the middleware's database has the triggers as well, which must leave its writes alone. */
export async function openSubject(engine: EngineName, { triggersToo = false } = {}): Promise<Subject> {
  const database = await createTestDatabase();
  const observer = new Client({ connectionString: database.url, application_name: 'observer' });
  await observer.connect();
  await observer.query(`SET TimeZone = 'UTC'`);
  await setTriggers(observer, engine === 'trigger' || triggersToo);
  const base = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 2,
    applicationName: engine,
    logger: silentLogger(),
    ...commentsOf(engine),
  });
  const client = await captured(engine, base);
  let last = '0';
  let cleared = 0;
  const kept = new Set<string>();
  return {
    engine,
    client,
    look: async () => {
      const { rows } = await observer.query<Look & { last: string }>({
        name: 'look',
        text: lookSql,
        values: [last],
      });
      const [found] = rows;
      if (!found) throw new Error('The look at the database gave nothing');
      last = found.last;
      return found;
    },
    clear: async (name) => {
      const empty = cleared++ % sequencesPerHeap === 0 ? truncateSql : emptySql;
      await observer.query(quietly(name === undefined ? [empty] : [empty, putBackSql(name)]));
    },
    keep: async (name) => {
      await observer.query(keepSql(name));
      kept.add(name);
    },
    kept,
    close: async () => {
      await base.$disconnect();
      await observer.end();
      await database.assertNoLeaks();
      await database.drop();
    },
  };
}

function commentsOf(engine: EngineName): Pick<PrismaClientOptions, 'comments'> {
  if (engine === 'middleware') return {};
  return { comments: engine === 'trigger' ? [contextComments({ source })] : [] };
}

async function captured(engine: EngineName, base: PrismaClient): Promise<Writer> {
  const options = { catalogue, source, logger: silentLogger() };
  if (engine === 'middleware') return withCapture(base, options) as unknown as Writer;
  if (engine === 'trigger') return (await withSignals(base, options)) as unknown as Writer;
  return base as unknown as Writer;
}

/** Takes the triggers that a migration may have installed away, and puts the catalogue's in their place if wanted. */
async function setTriggers(observer: Client, wanted: boolean): Promise<void> {
  await observer.query(`DO $$ DECLARE f regprocedure; BEGIN
    FOR f IN SELECT oid FROM pg_proc
      WHERE pronamespace = 'signalbox'::regnamespace AND proname ~ '^(capture|refuse_truncate)_'
    LOOP EXECUTE format('DROP FUNCTION %s CASCADE', f); END LOOP; END $$`);
  if (!wanted) return;
  const schema = readFileSync(join(findProjectRoot(__dirname), 'prisma', 'schema.prisma'), 'utf8');
  await observer.query(generate(catalogue.aggregates, readTables(schema)).sql);
}
