import type { Cursor } from './cursor';
import type { LogRow } from './readPage';
import { currentLife, type Queryable } from './openBatch';

/** Why an event is parked: the fault is its own. */
export const faultReasons = ['too_large', 'unknown_type', 'refused'] as const;

/** Why an event is held: it waits for its topic, or for an earlier event of its aggregate. */
export const waitReasons = ['topic_missing', 'topic_refused', 'topic_unavailable', 'behind'] as const;

export type SetAsideReason = (typeof faultReasons)[number] | (typeof waitReasons)[number];

/** An event that is set aside; `parked` ones need an operator, `held` ones only wait. */
export interface SetAside {
  readonly row: LogRow;
  readonly state: 'parked' | 'held';
  readonly reason: SetAsideReason;
  /** A sentence for an operator, without any value out of the event's data. */
  readonly detail: string;
}

/** A lane's progress: where its cursor moves to, and what was set aside on the way. */
export interface LaneProgress {
  readonly lane: number;
  readonly epoch: string;
  readonly cursor: Cursor;
  /** Of the last row that was published or set aside. */
  readonly lastPosition: string;
}

/*
 * Cursors move and events are set aside in one statement: neither is there without the other. Rows are locked by lane
 * number first, so that two relays that believe to own the same lanes can't deadlock.
 */
const sql = `
  WITH given AS (
    SELECT * FROM unnest($2::smallint[], $3::bigint[], $4::pg_snapshot[], $5::xid8[], $6::bigint[], $7::pg_snapshot[],
        $8::xid8[], $9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[])
      AS g(lane, epoch, done_snapshot, done_xid, done_floor, batch_snapshot, batch_xid, batch_floor, batch_ceiling,
        batch_position, last_position)
  ), held AS (
    SELECT l.lane FROM signalbox.lane l JOIN given g ON g.lane = l.lane
    WHERE l.owner = $1 AND l.epoch = g.epoch AND ${currentLife} = $14 ORDER BY l.lane FOR UPDATE OF l
  ), moved AS (
    UPDATE signalbox.lane l SET done_snapshot = g.done_snapshot, done_xid = g.done_xid, done_floor = g.done_floor,
      batch_snapshot = g.batch_snapshot, batch_xid = g.batch_xid, batch_floor = g.batch_floor,
      batch_ceiling = g.batch_ceiling, batch_position = g.batch_position,
      last_position = greatest(l.last_position, g.last_position), moved_at = now()
    FROM given g JOIN held USING (lane)
    WHERE l.lane = g.lane AND l.owner = $1 AND l.epoch = g.epoch RETURNING l.lane
  ), set_aside AS (
    INSERT INTO signalbox.parked_event
      (lane, position, event_id, event_type, aggregate_type, aggregate_id, state, reason, detail)
    SELECT p.* FROM jsonb_to_recordset($13::jsonb) AS p(lane smallint, position bigint, event_id uuid, event_type text,
      aggregate_type text, aggregate_id text, state text, reason text, detail text) JOIN moved USING (lane)
    ON CONFLICT (lane, position) DO NOTHING
  )
  SELECT ARRAY(SELECT lane FROM moved) AS moved, ${currentLife} <> $14 AS crashed`;

export interface Settled {
  /** Lanes that are not the owner's under the epoch any more; nothing of theirs was changed. */
  readonly lost: number[];
  /** Whether the server has crashed since the `life` in which the pages were read; then nothing was changed at all. */
  readonly crashed: boolean;
}

/** Records what was published, for those lanes that still are the owner's under the epoch. */
export async function settle(
  database: Queryable,
  owner: string,
  life: string,
  progress: readonly LaneProgress[],
  setAside: readonly SetAside[],
): Promise<Settled> {
  if (progress.length === 0) return { lost: [], crashed: false };
  const done = progress.map(({ cursor }) => cursor.done);
  const batches = progress.map(({ cursor }) => cursor.batch);
  const { rows } = await database.query<{ moved: number[]; crashed: boolean }>(sql, [
    owner,
    progress.map(({ lane }) => lane),
    progress.map(({ epoch }) => epoch),
    done.map(({ snapshot }) => snapshot.text),
    done.map(({ xid }) => xid),
    done.map(({ floor }) => floor),
    batches.map((batch) => batch?.horizon.snapshot.text ?? null),
    batches.map((batch) => batch?.horizon.xid ?? null),
    batches.map((batch) => batch?.horizon.floor ?? null),
    batches.map((batch) => batch?.horizon.ceiling ?? null),
    batches.map((batch) => batch?.position ?? null),
    progress.map(({ lastPosition }) => lastPosition),
    JSON.stringify(setAside.map(asRecord)),
    life,
  ]);
  const moved = new Set(rows[0]?.moved);
  const lost = progress.map(({ lane }) => lane).filter((lane) => !moved.has(lane));
  return { lost, crashed: rows[0]?.crashed ?? false };
}

function asRecord({ row, state, reason, detail }: SetAside): Record<string, unknown> {
  return {
    lane: row.lane,
    position: row.position,
    event_id: row.eventId,
    event_type: row.eventType,
    aggregate_type: row.aggregateType,
    aggregate_id: row.aggregateId,
    state,
    reason,
    detail,
  };
}
