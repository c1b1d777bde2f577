import { cursorOf, type LaneRow, type TakenLane } from './lanes';
import type { Queryable } from './openBatch';

/** A lane as somebody sees it who only looks. */
export interface SeenLane extends TakenLane {
  /** Whether a relay that is alive owns it. */
  readonly owned: boolean;
  /** Whether it waits for another lane, and is nobody's meanwhile; see openLanes.ts. */
  readonly closed: boolean;
}

const sql = `
  SELECT l.lane, l.epoch::text, l.done_snapshot::text, l.done_xid::text, l.done_floor::text,
    l.batch_snapshot::text, l.batch_xid::text, l.batch_floor::text, l.batch_ceiling::text, l.batch_position::text,
    l.last_position::text,
    EXISTS (SELECT FROM signalbox.relay r WHERE r.id = l.owner AND r.expires_at > clock_timestamp()) AS owned,
    l.opens_after_lane IS NOT NULL AS closed
  FROM signalbox.lane l ORDER BY l.lane`;

/** All lanes with their cursors; takes none of them. */
export async function readLanes(database: Queryable): Promise<SeenLane[]> {
  const { rows } = await database.query<LaneRow & Pick<SeenLane, 'owned' | 'closed'>>(sql);
  return rows.map((row) => ({
    lane: row.lane,
    epoch: row.epoch,
    cursor: cursorOf(row),
    lastPosition: BigInt(row.last_position),
    owned: row.owned,
    closed: row.closed,
  }));
}
