import { backlogOfLaneSql } from './backlog';
import type { Queryable } from './openBatch';

/** A lane as an operator sees it. */
export interface LaneStatus {
  readonly lane: number;
  /** Instance name of the relay that publishes it; null when none does. */
  readonly owner: string | null;
  /** How long the owner's lease lasts unless it is renewed. */
  readonly leaseSeconds: number | null;
  /** Events that wait, counted up to a limit. */
  readonly waiting: number;
  readonly oldestSeconds: number;
  /** Highest position that was published or set aside. */
  readonly lastPosition: string;
  readonly movedAt: Date | null;
  readonly parked: number;
  readonly held: number;
  /** The lane that must have passed its events before this new one opens; null for an open lane. */
  readonly opensAfter: number | null;
}

const sql = `
  SELECT l.lane, r.instance AS owner,
    extract(epoch FROM r.expires_at - clock_timestamp())::float8 AS "leaseSeconds",
    b.rows::int AS waiting,
    coalesce(greatest(extract(epoch FROM clock_timestamp() - b.oldest), 0), 0)::float8 AS "oldestSeconds",
    l.last_position::text AS "lastPosition", l.moved_at AS "movedAt",
    coalesce(p.parked, 0)::int AS parked, coalesce(p.held, 0)::int AS held, l.opens_after_lane AS "opensAfter"
  FROM signalbox.lane l
    LEFT JOIN signalbox.relay r ON r.id = l.owner AND r.expires_at > clock_timestamp()
    LEFT JOIN (SELECT lane, count(*) FILTER (WHERE state = 'parked') AS parked,
        count(*) FILTER (WHERE state = 'held') AS held FROM signalbox.parked_event GROUP BY lane) p USING (lane)
    CROSS JOIN LATERAL (${backlogOfLaneSql}) b
  ORDER BY l.lane`;

/** Every lane, in order. */
export async function readLaneStatus(database: Queryable): Promise<LaneStatus[]> {
  return (await database.query<LaneStatus>(sql)).rows;
}

/** A relay that is alive, with or without lanes. */
export interface LivingRelay {
  readonly instance: string;
  /** It reaches the database and not Kafka, and leaves the lanes to the others. */
  readonly standsBy: boolean;
}

export async function readRelays(database: Queryable): Promise<LivingRelay[]> {
  const { rows } = await database.query<LivingRelay>(
    `SELECT instance, stands_by AS "standsBy" FROM signalbox.relay
     WHERE expires_at > clock_timestamp() ORDER BY instance`,
  );
  return rows;
}
