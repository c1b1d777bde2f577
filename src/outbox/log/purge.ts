import { passedSql } from './passed';
import type { Queryable } from './openBatch';

/** Rows looked at by one statement: it takes some ten milliseconds, and its locks are on rows that nobody else wants. */
export const purgeWindow = 1_000;

/** How far one statement got. */
export interface Purged {
  readonly deleted: number;
  /** Position to go on from; null when nothing old lies behind. */
  readonly next: string | null;
}

/*
 * Looks at a window of a lane's rows, from a position on, and deletes those that are old, passed by the lane's cursor
 * and not set aside. Passed is passed for good, so the cursor may move on meanwhile; an event is set aside in the
 * statement that moves the cursor over it, so no snapshot shows it passed and not yet set aside (and the foreign key
 * would refuse). Without the lane's lease nothing is deleted: cursors of another cluster are refused when a lease
 * is taken (guard.ts), and each lane has one janitor at a time.
 *
 * Positions grow with time, but not strictly: the end has come when a whole window holds nothing that is old and
 * passed. The age is by the server's clock, at the append and now. Deleting by "ctid" spares a join that the planner
 * might do by reading the table; rows are never updated while relays run.
 */
export const purgeSql = `
  WITH looked_at AS MATERIALIZED (
    SELECT o.ctid AS row, o.position,
      o.occurred_at < clock_timestamp() - $5 * interval '1 millisecond' AND ${passedSql} AS is_past,
      EXISTS (SELECT FROM signalbox.parked_event p
        WHERE p.lane = o.lane AND p.position = o.position) AS is_set_aside
    FROM signalbox.lane l CROSS JOIN LATERAL (
      SELECT w.ctid, w.lane, w.position, w.txid, w.occurred_at FROM signalbox.outbox w
      WHERE w.lane = l.lane AND w.position > $4 ORDER BY w.position LIMIT ${purgeWindow}) o
    WHERE l.lane = $1 AND l.owner = $2 AND l.epoch = $3
  ), deleted AS (
    DELETE FROM signalbox.outbox
    WHERE ctid = ANY (ARRAY(SELECT row FROM looked_at WHERE is_past AND NOT is_set_aside)) RETURNING 1
  )
  SELECT (SELECT count(*) FROM deleted)::int AS deleted,
    CASE WHEN count(*) = ${purgeWindow} AND bool_or(is_past) THEN max(position)::text END AS next FROM looked_at`;

/** Deletes the rows of one window of the lane, after position `after`, that are older than `keepMs` and done with. */
export async function purge(
  database: Queryable,
  owner: string,
  { lane, epoch }: { lane: number; epoch: string },
  after: string,
  keepMs: number,
): Promise<Purged> {
  const { rows } = await database.query<Purged>(purgeSql, [lane, owner, epoch, after, keepMs]);
  const [row] = rows;
  if (!row) throw new Error('The purge was not answered');
  return row;
}
