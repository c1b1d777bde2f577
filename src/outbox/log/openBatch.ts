import type { ClientBase, Pool, QueryResult } from 'pg';
import type { Horizon } from './cursor';
import { parseSnapshot } from './snapshot';

/** Where a statement may be sent: a pool, or a connection in a transaction. */
export type Queryable = Pool | ClientBase;

/** What opening a batch gives. */
export interface OpenedBatch extends Horizon {
  /**
   * Differs from one life of the server to the next: a crash begins a new one, an orderly restart does not. What was
   * learned in an earlier life and is in no table holds no longer; see cursor.ts.
   */
  readonly life: string;
}

/** A crash throws the server's statistics away, and with them the time since when they are counted. */
export const currentLife = `coalesce(extract(epoch FROM pg_stat_get_bgwriter_stat_reset_time())::text, '')`;

/*
 * Three statements in one message: Postgres runs them one after the other, each with a snapshot of its own, and the
 * client waits once. Their order is what the argument in cursor.ts stands on.
 *
 * The floor is asked of a function that locks the sequence's page. SELECT last_value looks at the page without a lock,
 * and nextval shows there, while it writes to the WAL, the value that 32 calls later will be reached: beside writers,
 * 13 of 3.9 million such reads on Postgres 18 gave up to 32 values too many. From a floor like that, the next batch
 * passes over events. For a ceiling it does no harm, so a sequence that was never used since it was set (the function
 * says null then, and its last_value is still to be drawn) may be read either way; no floor is too low.
 */
const given = `pg_sequence_last_value('signalbox.outbox_position')`;
const sql = `
  SELECT coalesce(${given}, 0) AS position;
  SELECT pg_current_snapshot()::text AS snapshot, pg_current_xact_id()::text AS xid, ${currentLife} AS life;
  SELECT coalesce(${given}, (SELECT last_value - 1 FROM signalbox.outbox_position)) AS position`;

interface Row {
  position?: string;
  snapshot?: string;
  xid?: string;
  life?: string;
}

/**
 * Takes the snapshot up to which a batch is read; one serves all lanes. `preamble` holds statements that are to be
 * run before, in the same message.
 */
export async function openBatch(database: Queryable, preamble = ''): Promise<OpenedBatch> {
  // pg gives an array for several statements, which its types don't know.
  const results = (await database.query(preamble + sql)) as unknown as QueryResult<Row>[];
  const [floor, taken, ceiling] = results.slice(-3).map((result) => result.rows[0]);
  if (!floor?.position || !taken?.snapshot || !taken.xid || taken.life === undefined || !ceiling?.position) {
    throw new Error('Postgres gave no snapshot');
  }
  return {
    floor: BigInt(floor.position),
    snapshot: parseSnapshot(taken.snapshot),
    xid: BigInt(taken.xid),
    ceiling: BigInt(ceiling.position),
    life: taken.life,
  };
}
