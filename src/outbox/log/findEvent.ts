import type { Queryable } from './openBatch';
import { passedSql } from './passed';
import { logRowColumns, type LogRow } from './readPage';

/** An event of the outbox and what has become of it. */
export interface FoundEvent extends LogRow {
  /** The lane's cursor has passed it: published, unless it is set aside. */
  readonly passed: boolean;
  readonly setAside: {
    readonly state: 'parked' | 'held';
    readonly reason: string;
    readonly detail: string;
    readonly attempts: number;
    readonly since: string;
  } | null;
}

const sql = (condition: string): string => `
  SELECT ${logRowColumns('$2')}, ${passedSql} AS passed,
    (SELECT jsonb_build_object('state', p.state, 'reason', p.reason, 'detail', p.detail, 'attempts', p.attempts,
        'since', p.parked_at)
      FROM signalbox.parked_event p WHERE p.lane = o.lane AND p.position = o.position) AS "setAside"
  FROM signalbox.lane l JOIN signalbox.outbox o ON o.lane = l.lane WHERE ${condition}`;

/*
 * Ids have no index, for every insert would pay for it and only this asks: the table is read. Positions are looked up
 * in each lane.
 */
const byId = sql('o.event_id = $1::uuid');
const byPosition = sql('o.position = $1::bigint');

const noLimit = 2 ** 31 - 1;

/** The event of an id or a position, or undefined when the outbox has none. */
export async function findEvent(
  database: Queryable,
  by: { readonly eventId: string } | { readonly position: string },
): Promise<FoundEvent | undefined> {
  const [text, value] = 'eventId' in by ? [byId, by.eventId] : [byPosition, by.position];
  const { rows } = await database.query<FoundEvent>(text, [value, noLimit]);
  return rows[0];
}
