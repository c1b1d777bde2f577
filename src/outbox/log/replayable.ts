import type { Queryable } from './openBatch';
import { passedSql } from './passed';
import { logRowColumns, type LogRow } from './readPage';

/** Which published events are meant; what is not given limits nothing. */
export interface ReplaySelection {
  readonly eventIds?: readonly string[];
  readonly positions?: readonly string[];
  readonly aggregate?: { readonly type: string; readonly id: string };
  readonly eventTypes?: readonly string[];
  readonly since?: Date;
  readonly until?: Date;
  /** Positions in between only: after the first, up to the second. */
  readonly after: string;
  readonly upTo: string;
}

/*
 * Published is what the cursors have passed and is not set aside. A null parameter drops out when the statement is
 * planned, which happens each time, as it has no name.
 */
const selected = `o.position > $1 AND o.position <= $2 AND ${passedSql}
    AND NOT EXISTS (SELECT FROM signalbox.parked_event p WHERE p.lane = o.lane AND p.position = o.position)
    AND ($3::uuid[] IS NULL OR o.event_id = ANY ($3) OR o.position = ANY ($4::bigint[]))
    AND ($5::text IS NULL OR o.aggregate_type = $5 AND o.aggregate_id = $6)
    AND ($7::text[] IS NULL OR o.event_type = ANY ($7))
    AND ($8::timestamptz IS NULL OR o.occurred_at >= $8) AND ($9::timestamptz IS NULL OR o.occurred_at < $9)`;

function parameters(selection: ReplaySelection, after = selection.after): unknown[] {
  const { eventIds, positions, aggregate, eventTypes, since, until, upTo } = selection;
  const byRef = eventIds ?? positions;
  return [
    after,
    upTo,
    byRef ? (eventIds ?? []) : null,
    byRef ? (positions ?? []) : null,
    aggregate?.type ?? null,
    aggregate?.id ?? null,
    eventTypes ?? null,
    since ?? null,
    until ?? null,
  ];
}

/** How many events of a type a replay would publish, and the first and the last of them. */
export interface ReplayCount {
  readonly eventType: string;
  readonly events: number;
  readonly first: Date;
  readonly last: Date;
}

/** What a replay would publish, by type. */
export async function countReplayable(
  database: Queryable,
  selection: ReplaySelection,
): Promise<ReplayCount[]> {
  const { rows } = await database.query<ReplayCount>(
    `SELECT o.event_type AS "eventType", count(*)::int AS events, min(o.occurred_at) AS first, max(o.occurred_at) AS last
     FROM signalbox.lane l JOIN signalbox.outbox o ON o.lane = l.lane
     WHERE ${selected} GROUP BY o.event_type ORDER BY o.event_type`,
    parameters(selection),
  );
  return rows;
}

const pageSql = `
  SELECT ${logRowColumns('$11')}
  FROM signalbox.lane l JOIN signalbox.outbox o ON o.lane = l.lane
  WHERE l.lane = $10 AND ${selected} ORDER BY o.position LIMIT $12`;

/** The next events of one lane, by position. Data beyond `dataBytes` is not fetched. */
export async function readReplayable(
  database: Queryable,
  selection: ReplaySelection,
  { lane, after, dataBytes, rows: limit }: { lane: number; after: string; dataBytes: number; rows: number },
): Promise<LogRow[]> {
  const values = [...parameters(selection, after), lane, dataBytes, limit];
  return (await database.query<LogRow>(pageSql, values)).rows;
}
