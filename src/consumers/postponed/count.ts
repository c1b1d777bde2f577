import type { Transaction } from '../transaction';

export interface PostponedCount {
  readonly events: number;
  /** Since the oldest was put aside; 0 when there is none. */
  readonly oldestSeconds: number;
}

/** How many events a consumer has put aside. */
export async function countPostponed(tx: Transaction, consumer: string): Promise<PostponedCount> {
  const [count] = await tx.$queryRaw<PostponedCount[]>`
    SELECT count(*)::int AS "events",
      coalesce(extract(epoch FROM now() - min("postponed_at")), 0)::float8 AS "oldestSeconds"
    FROM "signalbox"."postponed_event" WHERE "consumer" = ${consumer}`;
  return count ?? { events: 0, oldestSeconds: 0 };
}
