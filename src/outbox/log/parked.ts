import { logRowColumns, type LogRow } from './readPage';
import type { Queryable } from './openBatch';
import type { SetAside } from './settle';

/** Names an aggregate in sets and maps. */
export function aggregateKey(row: { aggregateType: string; aggregateId: string }): string {
  return `${row.aggregateType}\n${row.aggregateId}`;
}

/**
 * The aggregates of which events are set aside, by lane: later events of them must wait too. With `pass`, parked
 * events are nothing to wait for, only held ones. An event that was set aside before the number of lanes was raised
 * lies in another lane than the later ones of its aggregate; it counts for both.
 */
export async function readBlocked(
  database: Queryable,
  lanes: readonly number[],
  pass: boolean,
): Promise<Map<number, Set<string>>> {
  const { rows } = await database.query<{ lane: number; aggregateType: string; aggregateId: string }>(
    `SELECT DISTINCT l.lane, p.aggregate_type AS "aggregateType", p.aggregate_id AS "aggregateId"
     FROM signalbox.parked_event p CROSS JOIN LATERAL unnest(ARRAY[p.lane, signalbox.lane_of(p.aggregate_id)]) l(lane)
     WHERE l.lane = ANY($1::smallint[]) AND (NOT $2 OR p.state = 'held')`,
    [lanes, pass],
  );
  const blocked = new Map(lanes.map((lane) => [lane, new Set<string>()]));
  for (const row of rows) blocked.get(row.lane)?.add(aggregateKey(row));
  return blocked;
}

/* What is held in the same lane goes out first by its position; the other lane may be another relay's. */
const releasableSql = `
  SELECT ${logRowColumns('$3')}
  FROM signalbox.parked_event p JOIN signalbox.outbox o ON o.lane = p.lane AND o.position = p.position
  WHERE p.lane = ANY($1::smallint[]) AND p.state = 'held' AND p.event_type <> ALL ($5::text[])
    AND NOT EXISTS (SELECT FROM signalbox.parked_event e
      WHERE e.aggregate_type = p.aggregate_type AND e.aggregate_id = p.aggregate_id AND e.position < p.position
        AND CASE e.state WHEN 'parked' THEN NOT $2 ELSE e.lane <> p.lane OR e.event_type = ANY ($5::text[]) END)
  ORDER BY p.lane, p.position LIMIT $4`;

/**
 * Held events that nothing stands before any more, in order. With `pass`, parked ones are nothing to wait for;
 * events of the types `except` wait on, and so do those behind them.
 */
export async function readReleasable(
  database: Queryable,
  lanes: readonly number[],
  options: { pass: boolean; except: readonly string[]; rows: number; dataBytes: number },
): Promise<LogRow[]> {
  const { pass, except, rows: limit, dataBytes } = options;
  const { rows } = await database.query<LogRow>(releasableSql, [lanes, pass, dataBytes, limit, except]);
  return rows;
}

const releaseSql = `
  WITH mine AS (
    SELECT l.lane FROM signalbox.lane l JOIN unnest($2::smallint[], $3::bigint[]) AS g(lane, epoch) USING (lane)
    WHERE l.owner = $1 AND l.epoch = g.epoch ORDER BY l.lane FOR UPDATE OF l
  ), published AS (
    DELETE FROM signalbox.parked_event p USING mine, unnest($4::smallint[], $5::bigint[]) AS d(lane, position)
    WHERE p.lane = mine.lane AND p.lane = d.lane AND p.position = d.position
  ), again AS (
    UPDATE signalbox.parked_event p SET state = a.state, reason = a.reason, detail = a.detail,
      attempts = p.attempts + 1, last_attempt_at = now()
    FROM mine, unnest($6::smallint[], $7::bigint[], $8::text[], $9::text[], $10::text[])
      AS a(lane, position, state, reason, detail)
    WHERE p.lane = mine.lane AND p.lane = a.lane AND p.position = a.position
  )
  SELECT lane FROM mine`;

/**
 * Removes released events that were published and writes down why others were set aside again, fenced like `settle`.
 * Resolves to the lanes that are no longer the owner's; of theirs nothing was changed.
 */
export async function settleReleased(
  database: Queryable,
  owner: string,
  lanes: readonly { lane: number; epoch: string }[],
  published: readonly LogRow[],
  again: readonly SetAside[],
): Promise<{ lost: number[] }> {
  const { rows } = await database.query<{ lane: number }>(releaseSql, [
    owner,
    lanes.map(({ lane }) => lane),
    lanes.map(({ epoch }) => epoch),
    published.map(({ lane }) => lane),
    published.map(({ position }) => position),
    again.map(({ row }) => row.lane),
    again.map(({ row }) => row.position),
    again.map(({ state }) => state),
    again.map(({ reason }) => reason),
    again.map(({ detail }) => detail),
  ]);
  const held = new Set(rows.map(({ lane }) => lane));
  return { lost: lanes.map(({ lane }) => lane).filter((lane) => !held.has(lane)) };
}
