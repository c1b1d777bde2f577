/**
 * An SQL condition: the cursor of lane `l` has passed the event `o`, which means that it was published or set aside.
 * The reader will never read it again, whatever happens; see cursor.ts. Both rows must come from one statement.
 */
export const passedSql = `(pg_visible_in_snapshot(o.txid, l.done_snapshot)
  OR coalesce(pg_visible_in_snapshot(o.txid, l.batch_snapshot) AND o.position <= l.batch_position, false))`;
