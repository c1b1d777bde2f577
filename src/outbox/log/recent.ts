import type { Horizon } from './cursor';
import type { Queryable } from './openBatch';
import { logRowColumns, type LogRow } from './readPage';

/** Which events a watcher wants to see; what is not given limits nothing. */
export interface RecentFilter {
  readonly eventTypes?: readonly string[];
  readonly aggregateIds?: readonly string[];
}

const sql = `
  SELECT ${logRowColumns('$6')} FROM signalbox.lane l CROSS JOIN LATERAL (
    SELECT * FROM signalbox.outbox w
    WHERE w.lane = l.lane AND w.position <= $1 AND pg_visible_in_snapshot(w.txid, $2::pg_snapshot)
      AND ($3::text[] IS NULL OR w.event_type = ANY ($3)) AND ($4::text[] IS NULL OR w.aggregate_id = ANY ($4))
    ORDER BY w.position DESC LIMIT $5) o
  ORDER BY o.position DESC LIMIT $5`;

/** The newest events that a moment sees, oldest first. What it does not see yet is for the reader's batches after it. */
export async function readRecent(
  database: Queryable,
  { snapshot, ceiling }: Horizon,
  { eventTypes, aggregateIds }: RecentFilter,
  { rows: limit, dataBytes }: { rows: number; dataBytes: number },
): Promise<LogRow[]> {
  const { rows } = await database.query<LogRow>(sql, [
    ceiling,
    snapshot.text,
    eventTypes ?? null,
    aggregateIds ?? null,
    limit,
    dataBytes,
  ]);
  return rows.reverse();
}
