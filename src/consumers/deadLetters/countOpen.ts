import type { Pool } from 'pg';
import type { Range } from '../../kafka/groups/readRange';

const sql = `
  SELECT coalesce(sum(greatest(0, r."to" - r."from" - (
    SELECT count(*) FROM signalbox.settled_dead_letter s
    WHERE s."topic" = r."topic" AND s."partition" = r."partition" AND s."offset" >= r."from" AND s."offset" < r."to"
  ))), 0)::int AS open
  FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[]) AS r("topic", "partition", "from", "to")`;

/** How many dead letters of these ranges were neither replayed nor discarded: by offsets, without reading them. */
export async function countOpenLetters(pool: Pick<Pool, 'query'>, ranges: readonly Range[]): Promise<number> {
  const { rows } = await pool.query<{ open: number }>(sql, [
    ranges.map(({ topic }) => topic),
    ranges.map(({ partition }) => partition),
    ranges.map(({ from }) => String(from)),
    ranges.map(({ to }) => String(to)),
  ]);
  return rows[0]?.open ?? 0;
}
