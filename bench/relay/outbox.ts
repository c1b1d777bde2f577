/** Databases whose outbox is full of events, and the cursors that say which of them are published. */
import { resolve } from 'node:path';
import { Client, escapeIdentifier, Pool } from 'pg';
import type { EventType } from '../../src/healthcore/catalogue';
import { migrate } from '../../src/shared/migrate/migrate';
import { logger } from './servers';

/** Whose events: how many aggregates they are spread over. */
export type Keys = 'many' | 'ten' | 'one' | 'hot';

/** What the events are of, by turns: four topics. */
export const eventTypesUsed: readonly EventType[] = [
  'patient.created',
  'patient.updated',
  'appointment.booked',
  'appointment.rescheduled',
];

/** Gives each event's number, `n`, its aggregate's; "hot" has one aggregate with a fifth of all events. */
const aggregateNumber: Record<Keys, string> = {
  many: 'n % 20000',
  ten: 'n % 10',
  one: '0',
  hot: 'CASE WHEN n % 5 = 0 THEN 0 ELSE n % 20000 END',
};

/** As the triggers write it, letter for letter, so that the relay does with it what it does with theirs. */
const data: Partial<Record<EventType, string>> = {
  'patient.created': `SELECT key AS patient_id, 'Bench Patient' AS name, key || '@example.com' AS email,
    '+49 30 123456' AS phone`,
  'patient.updated': `SELECT key AS patient_id, 'Bench Patient' AS name, key || '@example.com' AS email,
    '+49 30 123456' AS phone, ARRAY['phone'] AS changed_fields`,
  'appointment.booked': `SELECT key AS appointment_id, key AS patient_id, 'Dr Bench' AS practitioner,
    '2026-01-05T19:00:00.000Z' AS starts_at, '2026-01-05T19:30:00.000Z' AS ends_at, 'BOOKED' AS status`,
  'appointment.rescheduled': `SELECT key AS appointment_id, key AS patient_id, 'Dr Bench' AS practitioner,
    '2026-01-05T19:00:00.000Z' AS starts_at, '2026-01-05T19:30:00.000Z' AS ends_at, 'BOOKED' AS status,
    '2026-01-05T18:00:00.000Z' AS previous_starts_at, '2026-01-05T18:30:00.000Z' AS previous_ends_at`,
};
const dataByType = Object.entries(data)
  .map(([type, sql]) => `WHEN '${type}' THEN (SELECT row_to_json(d) FROM (${sql}) AS d)`)
  .join('\n');

const insert = (keys: Keys): string => `
  INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source,
    correlation_id, actor, traceparent, data)
  SELECT signalbox.lane_of(key), type, '1.0', split_part(type, '.', 1), key, 'healthcore-api',
    gen_random_uuid()::text, 'user:4711', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    CASE type ${dataByType} END
  FROM (SELECT n, md5('aggregate ' || aggregate)::uuid::text AS key, (ARRAY['patient.created', 'patient.updated',
      'appointment.booked', 'appointment.rescheduled'])[1 + 2 * (aggregate % 2) + (n / 2 % 2)] AS type
    FROM (SELECT n, (${aggregateNumber[keys]})::int AS aggregate FROM generate_series($1::int, $2::int) n) a
    ORDER BY n) k`;

const rowsPerTransaction = 1_000;

/** A migrated database of its own on the server. */
export async function createOutbox(serverUrl: string, name: string): Promise<Outbox> {
  const server = new Client({ connectionString: serverUrl });
  await server.connect();
  await server.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
  await server.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  await migrate({ databaseUrl: url.href, directory: resolve('prisma/migrations'), logger });
  return new Outbox(url.href);
}

export class Outbox {
  readonly pool: Pool;

  constructor(readonly url: string) {
    this.pool = new Pool({ connectionString: url, max: 4, application_name: 'signalbox-bench' });
    // A connection that breaks fails the next query, which tells.
    this.pool.on('error', (error) => logger.debug({ err: error }, 'an idle connection broke'));
  }

  /** Appends events in transactions of a thousand. */
  async append(keys: Keys, events: number): Promise<void> {
    for (let from = 1; from <= events; from += rowsPerTransaction) {
      await this.pool.query(insert(keys), [from, Math.min(events, from + rowsPerTransaction - 1)]);
    }
  }

  /** What an outbox gets by itself in time: statistics, and the marks that its rows are visible to all. */
  async settleDown(): Promise<void> {
    await this.pool.query('VACUUM (ANALYZE) signalbox.outbox');
    await this.pool.query('CHECKPOINT');
  }

  /** Counts everything as published. Nobody may be writing. Resolves to the last position. */
  async markPublished(): Promise<string> {
    await this.#forgetTarget();
    const { rows } = await this.pool.query<{ position: string }>(`
      UPDATE signalbox.lane SET owner = NULL, epoch = epoch + 1, done_snapshot = pg_current_snapshot(),
        done_xid = pg_current_xact_id(), done_floor = (SELECT last_value - (NOT is_called)::int FROM signalbox.outbox_position),
        batch_snapshot = NULL, batch_xid = NULL, batch_floor = NULL, batch_ceiling = NULL, batch_position = NULL
      RETURNING done_floor::text AS position`);
    return rows[0]?.position ?? '0';
  }

  /** Writes the cursors down, to `rewind` to. */
  async bookmark(): Promise<void> {
    await this.pool.query(
      'DROP TABLE IF EXISTS signalbox.bookmark; CREATE TABLE signalbox.bookmark AS SELECT * FROM signalbox.lane',
    );
  }

  /** Sets the cursors back to the bookmark: what came after it is to be published (again). No relay may run. */
  async rewind(): Promise<void> {
    await this.#rewind('owner = NULL,');
    await this.pool.query('DELETE FROM signalbox.relay');
    await this.#forgetTarget();
  }

  /** Each measurement has topics of its own, which is another target. */
  async #forgetTarget(): Promise<void> {
    await this.pool.query('DELETE FROM signalbox.target');
  }

  /** The same under idle relays: each finds that its lanes have a new epoch, and takes them again as they are now. */
  async rewindUnderRelays(): Promise<void> {
    await this.#rewind('');
  }

  async #rewind(owner: string): Promise<void> {
    await this.pool.query(`
      UPDATE signalbox.lane l SET ${owner} epoch = l.epoch + 1, done_snapshot = b.done_snapshot,
        done_xid = b.done_xid, done_floor = b.done_floor, batch_snapshot = NULL, batch_xid = NULL, batch_floor = NULL,
        batch_ceiling = NULL, batch_position = NULL
      FROM signalbox.bookmark b WHERE b.lane = l.lane`);
  }

  /** Begins a transaction that has written to the outbox, and leaves it open until the result is called. */
  async hold(): Promise<() => Promise<void>> {
    const client = await this.pool.connect();
    await client.query('BEGIN');
    await client.query(insert('one'), [0, 0]);
    return async () => {
      await client.query('ROLLBACK');
      client.release();
    };
  }

  /** How many lanes each living relay owns. */
  async lanesOfRelays(): Promise<number[]> {
    const { rows } = await this.pool.query<{ lanes: number }>(`
      SELECT count(l.lane)::int AS lanes FROM signalbox.relay r LEFT JOIN signalbox.lane l ON l.owner = r.id
      WHERE r.expires_at > clock_timestamp() GROUP BY r.id`);
    return rows.map(({ lanes }) => lanes);
  }

  /** How many events stand after the bookmark. */
  async waiting(): Promise<number> {
    const { rows } = await this.pool.query<{ events: number }>(
      'SELECT count(*)::int AS events FROM signalbox.outbox o WHERE o.position > (SELECT min(done_floor) FROM signalbox.bookmark)',
    );
    return rows[0]?.events ?? 0;
  }

  /** Transactions of this database that have ended so far, as far as the server's statistics know. */
  async transactions(): Promise<number> {
    const { rows } = await this.pool.query<{ count: number }>(
      'SELECT (xact_commit + xact_rollback)::int AS count FROM pg_stat_database WHERE datname = current_database()',
    );
    return rows[0]?.count ?? 0;
  }

  async close(): Promise<void> {
    await this.pool.end();
  }
}
