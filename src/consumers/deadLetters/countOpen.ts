import type { Pool } from 'pg';

/** A stretch of a partition: offsets from `from` on, without `to`. */
export interface LetterRange {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

const sql = `
  SELECT count(*)::int AS settled FROM signalbox.settled_dead_letter
  WHERE "topic" = $1 AND "partition" = $2 AND "offset" >= $3 AND "offset" < $4`;

/** How many dead letters of these ranges were neither replayed nor discarded: by offsets, without reading them. */
export async function countOpenLetters(
  pool: Pick<Pool, 'query'>,
  ranges: readonly LetterRange[],
): Promise<number> {
  let open = 0;
  for (const { topic, partition, from, to } of ranges) {
    const values = [topic, partition, String(from), String(to)];
    const { rows } = await pool.query<{ settled: number }>(sql, values);
    open += Math.max(0, Number(to - from) - (rows[0]?.settled ?? 0));
  }
  return open;
}
