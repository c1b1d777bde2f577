/** What runs a statement without parameters: a pool, a connection, or a Prisma client in their form. */
export interface OutboxReader {
  query(sql: string): Promise<{ rows: unknown[] }>;
}

export interface Backlog {
  /** Events that are neither published nor set aside; counted up to a limit for each lane. */
  readonly rows: number;
  /** Age of the oldest of them, in seconds; 0 when there is none. */
  readonly oldestSeconds: number;
  readonly parked: number;
  readonly held: number;
  /** Lanes that are open to relays, and those of them that no living relay owns. */
  readonly lanes: number;
  readonly unowned: number;
  /** Relays whose lease has not ended, and those of them that leave the lanes to others. */
  readonly relays: number;
  readonly standingBy: number;
}

/** A figure, not a promise: counting stops at this many rows of a lane, so that a scrape stays cheap. */
const countLimit = 10_000;

/** Counts what waits in lane `l`. Without the batch's own progress: rows of the page in work count until it is done. */
export const backlogOfLaneSql = `
    SELECT count(*) AS rows, min(w.occurred_at) AS oldest FROM (
      SELECT o.occurred_at FROM signalbox.outbox o
      WHERE o.lane = l.lane AND o.position > greatest(l.done_floor, coalesce(l.batch_position, 0))
        AND NOT pg_visible_in_snapshot(o.txid, l.done_snapshot)
      ORDER BY o.position LIMIT ${countLimit}) w`;

const sql = `
  SELECT coalesce(sum(b.rows), 0)::int AS rows,
    coalesce(extract(epoch FROM clock_timestamp() - min(b.oldest)), 0)::float8 AS "oldestSeconds",
    (SELECT count(*) FROM signalbox.parked_event WHERE state = 'parked')::int AS parked,
    (SELECT count(*) FROM signalbox.parked_event WHERE state = 'held')::int AS held,
    count(*) FILTER (WHERE l.opens_after_lane IS NULL)::int AS lanes,
    count(*) FILTER (WHERE l.opens_after_lane IS NULL AND NOT EXISTS (SELECT FROM signalbox.relay r
      WHERE r.id = l.owner AND r.expires_at > clock_timestamp()))::int AS unowned,
    (SELECT count(*) FROM signalbox.relay WHERE expires_at > clock_timestamp())::int AS relays,
    (SELECT count(*) FROM signalbox.relay WHERE expires_at > clock_timestamp() AND stands_by)::int AS "standingBy"
  FROM signalbox.lane l CROSS JOIN LATERAL (${backlogOfLaneSql}) b`;

/** How much waits, over all lanes; late commits of transactions that are long running are not counted. */
export async function readBacklog(database: OutboxReader): Promise<Backlog> {
  const { rows } = await database.query(sql);
  const [row] = rows as Backlog[];
  if (!row) throw new Error('The backlog could not be counted');
  return { ...row, oldestSeconds: Math.max(0, row.oldestSeconds) };
}
