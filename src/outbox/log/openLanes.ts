import type { Queryable } from './openBatch';

/*
 * Opens lanes that were added by raiseLanes.ts, each as soon as the lane that its aggregates come from has passed all
 * events up to the change: then no event of theirs is still to be published there. Passed it has when
 *
 *   - its cursor's snapshot sees the change itself as done: what was committed before, it sees all the more; or
 *   - it is between two batches, and none of its rows up to the change is still to be read. An idle lane writes no
 *     cursor, so this is how one is known to have passed. The two look-ups are those of the reader (cursor.ts).
 *
 * ORDER BY … LIMIT 1 keeps the planner to the indexes: EXISTS might be planned as a scan that hopes for an early hit.
 */
const sql = `
  UPDATE signalbox.lane l SET opens_after_lane = NULL, opens_after_position = NULL, opens_after_xid = NULL
  FROM signalbox.lane f
  WHERE f.lane = l.opens_after_lane AND (
    pg_visible_in_snapshot(l.opens_after_xid, f.done_snapshot)
    OR f.batch_snapshot IS NULL
      AND (SELECT o.position FROM signalbox.outbox o
        WHERE o.lane = f.lane AND o.position > f.done_floor AND o.position <= l.opens_after_position
          AND NOT pg_visible_in_snapshot(o.txid, f.done_snapshot)
        ORDER BY o.position LIMIT 1) IS NULL
      AND NOT EXISTS (
        SELECT FROM (
          SELECT pg_snapshot_xip(f.done_snapshot) AS xid
          UNION ALL SELECT nr::text::xid8 FROM generate_series(
            pg_snapshot_xmax(f.done_snapshot)::text::bigint, f.done_xid::text::bigint) nr
        ) x CROSS JOIN LATERAL (
          SELECT FROM signalbox.outbox o WHERE o.lane = f.lane AND o.txid = x.xid
            AND o.position <= l.opens_after_position ORDER BY o.position LIMIT 1) straggler))
  RETURNING l.lane`;

/** Opens what may be opened, and resolves to those lanes. */
export async function openLanes(database: Queryable): Promise<number[]> {
  const { rows } = await database.query<{ lane: number }>(sql);
  return rows.map(({ lane }) => lane).sort((a, b) => a - b);
}
