import type { ClientBase, Pool, QueryResult } from 'pg';
import type { Horizon } from './cursor';
import { parseSnapshot } from './snapshot';

/** Where a statement may be sent: a pool, or a connection in a transaction. */
export type Queryable = Pool | ClientBase;

/*
 * Three statements in one message: Postgres runs them one after the other, each with a snapshot of its own, and the
 * client waits once. Their order is what the argument in cursor.ts stands on. A sequence that was never used says 1,
 * which is then still to be drawn.
 */
const lastValue = `SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END AS position
  FROM signalbox.outbox_position`;
const sql = `
  ${lastValue};
  SELECT pg_current_snapshot()::text AS snapshot, pg_current_xact_id()::text AS xid;
  ${lastValue}`;

interface Row {
  position?: string;
  snapshot?: string;
  xid?: string;
}

/**
 * Takes the snapshot up to which a batch is read; one serves all lanes. `preamble` holds statements that are to be
 * run before, in the same message.
 */
export async function openBatch(database: Queryable, preamble = ''): Promise<Horizon> {
  // pg gives an array for several statements, which its types don't know.
  const results = (await database.query(preamble + sql)) as unknown as QueryResult<Row>[];
  const [floor, taken, ceiling] = results.slice(-3).map((result) => result.rows[0]);
  if (!floor?.position || !taken?.snapshot || !taken.xid || !ceiling?.position) {
    throw new Error('Postgres gave no snapshot');
  }
  return {
    floor: BigInt(floor.position),
    snapshot: parseSnapshot(taken.snapshot),
    xid: BigInt(taken.xid),
    ceiling: BigInt(ceiling.position),
  };
}
