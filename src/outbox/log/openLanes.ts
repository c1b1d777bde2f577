import type { Queryable } from './openBatch';

/** A moment of cursor.ts, as columns of the lane `f`. */
interface MomentColumns {
  readonly snapshot: string;
  readonly xid: string;
  readonly floor: string;
}

const done: MomentColumns = { snapshot: 'f.done_snapshot', xid: 'f.done_xid', floor: 'f.done_floor' };
const batch: MomentColumns = { snapshot: 'f.batch_snapshot', xid: 'f.batch_xid', floor: 'f.batch_floor' };

/*
 * Whether lane f has an event, above a position and up to the change that made lane l, which the moment does not see:
 * the reader's main range and its stragglers, each by its index (cursor.ts). ORDER BY … LIMIT 1 keeps the planner to
 * the indexes: EXISTS alone might be planned as a scan of the table that hopes for an early hit.
 */
const unread = ({ snapshot, xid, floor }: MomentColumns, above: string): string => `(
  EXISTS (SELECT FROM (SELECT o.position FROM signalbox.outbox o
    WHERE o.lane = f.lane AND o.position > greatest(${floor}, ${above}) AND o.position <= l.opens_after_position
      AND NOT pg_visible_in_snapshot(o.txid, ${snapshot})
    ORDER BY o.position LIMIT 1) main)
  OR EXISTS (SELECT FROM (
      SELECT pg_snapshot_xip(${snapshot}) AS xid
      UNION ALL SELECT nr::text::xid8
        FROM generate_series(pg_snapshot_xmax(${snapshot})::text::bigint, ${xid}::text::bigint) nr
    ) x CROSS JOIN LATERAL (SELECT FROM signalbox.outbox o
      WHERE o.lane = f.lane AND o.txid = x.xid AND o.position > ${above} AND o.position <= l.opens_after_position
      ORDER BY o.position LIMIT 1) straggler))`;

/*
 * Opens lanes that were added by raiseLanes.ts, each as soon as the lane that its aggregates come from has passed all
 * events up to the change: then no event of theirs is still to be published there. Passed it has when
 *
 *   - its cursor's snapshot sees the change itself as done: what was committed before, it sees all the more; or
 *   - no event up to the change is before its cursor. An idle lane writes no cursor, so this is how one is known to
 *     have passed, between two batches or at the end of one that has nothing more.
 */
const sql = `
  UPDATE signalbox.lane l SET opens_after_lane = NULL, opens_after_position = NULL, opens_after_xid = NULL
  FROM signalbox.lane f
  WHERE f.lane = l.opens_after_lane AND (
    pg_visible_in_snapshot(l.opens_after_xid, f.done_snapshot)
    OR NOT ${unread(done, '0')}
    OR f.batch_snapshot IS NOT NULL AND NOT ${unread(done, 'f.batch_position')} AND NOT ${unread(batch, '0')})
  RETURNING l.lane`;

/** Opens what may be opened, and resolves to those lanes. */
export async function openLanes(database: Queryable): Promise<number[]> {
  const { rows } = await database.query<{ lane: number }>(sql);
  return rows.map(({ lane }) => lane).sort((a, b) => a - b);
}
