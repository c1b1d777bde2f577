import type { Cursor } from './cursor';
import type { Queryable } from './openBatch';
import { parseSnapshot } from './snapshot';

/** How many lanes there are: signalbox.lane_of gives 0 to 15. */
export const laneCount = 16;

/** A lane as its new owner finds it. */
export interface TakenLane {
  readonly lane: number;
  readonly epoch: string;
  readonly cursor: Cursor;
  readonly lastPosition: bigint;
}

/** A lane with its cursor, as it is in the table. */
export interface LaneRow {
  lane: number;
  epoch: string;
  done_snapshot: string;
  done_xid: string;
  done_floor: string;
  batch_snapshot: string | null;
  batch_xid: string | null;
  batch_floor: string | null;
  batch_ceiling: string | null;
  batch_position: string | null;
  last_position: string;
}

/*
 * Free are lanes without an owner, those whose owner has not said for a lease's time that it is alive, and those that
 * are this relay's by the table while it knows nothing of them (an answer was lost, or it starts afresh after an error).
 */
const takeSql = `
  WITH free AS (
    SELECT l.lane FROM signalbox.lane l
    WHERE l.owner IS NULL OR (l.owner = $1 AND l.lane <> ALL ($3::smallint[])) OR NOT EXISTS (
      SELECT FROM signalbox.relay r WHERE r.id = l.owner AND r.expires_at > clock_timestamp())
    ORDER BY l.lane LIMIT $2 FOR UPDATE OF l SKIP LOCKED
  )
  UPDATE signalbox.lane l SET owner = $1, epoch = l.epoch + 1 FROM free WHERE l.lane = free.lane
  RETURNING l.lane, l.epoch::text, l.done_snapshot::text, l.done_xid::text, l.done_floor::text,
    l.batch_snapshot::text, l.batch_xid::text, l.batch_floor::text, l.batch_ceiling::text, l.batch_position::text,
    l.last_position::text`;

/**
 * Takes up to `atMost` free lanes, each with a new epoch, by which the former owner is refused from now on.
 * `known` are the lanes that the relay holds already.
 */
export async function takeLanes(
  database: Queryable,
  owner: string,
  known: readonly number[],
  atMost: number,
): Promise<TakenLane[]> {
  if (atMost <= 0) return [];
  const { rows } = await database.query<LaneRow>(takeSql, [owner, atMost, known]);
  return rows.map((row) => ({
    lane: row.lane,
    epoch: row.epoch,
    cursor: cursorOf(row),
    lastPosition: BigInt(row.last_position),
  }));
}

/** Gives lanes up, for others to take at once. Lanes that are somebody else's by now are left alone. */
export async function releaseLanes(
  database: Queryable,
  owner: string,
  lanes: readonly number[],
): Promise<void> {
  if (lanes.length === 0) return;
  await database.query(
    'UPDATE signalbox.lane SET owner = NULL WHERE lane = ANY($2::smallint[]) AND owner = $1',
    [owner, lanes],
  );
}

/** The cursor in a lane's row. */
export function cursorOf(row: LaneRow): Cursor {
  const done = momentOf(row.done_snapshot, row.done_xid, row.done_floor);
  const { batch_snapshot, batch_xid, batch_floor, batch_ceiling, batch_position } = row;
  if (!batch_snapshot || !batch_xid || !batch_floor || !batch_ceiling || !batch_position) return { done };
  return {
    done,
    batch: {
      horizon: { ...momentOf(batch_snapshot, batch_xid, batch_floor), ceiling: BigInt(batch_ceiling) },
      position: BigInt(batch_position),
    },
  };
}

function momentOf(snapshot: string, xid: string, floor: string): Cursor['done'] {
  return { snapshot: parseSnapshot(snapshot), xid: BigInt(xid), floor: BigInt(floor) };
}
