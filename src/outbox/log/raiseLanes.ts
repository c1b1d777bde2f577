/*
 * Raises the number of lanes while writers and relays run. docs/decisions/0007 has the whole argument; in short:
 *
 *   1. Under a lock that waits for every transaction which has appended, and holds up new appends for a moment, the
 *      function that gives an aggregate its lane is replaced. Rows up to the sequence's last value lie by the old
 *      number, later ones by the new; rows keep their lane.
 *   2. Both numbers are powers of two, so a new lane takes all of its aggregates from one old lane. It stays closed
 *      until that lane has passed everything up to the change (openLanes.ts).
 *   3. Events that are set aside hold back later ones of their aggregate in whatever lane (parked.ts).
 */
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../shared/inTransaction';
import { UserError } from '../../shared/lifecycle';

export interface LaneChange {
  readonly from: number;
  readonly to: number;
}

/** What the check constraint "lane_number" allows. */
const mostLanes = 256;
/** Appends wait for as long as we wait for those that are under way. */
const lockTimeout = '2s';
const lockNotAvailable = '55P03';

/**
 * Adds lanes, or with `execute: false` only finds out whether it may be done.
 * @throws UserError when the number can't be, an earlier change is not complete, or writers leave no gap.
 */
export async function raiseLanes(
  database: Pool,
  { to, execute }: { to: number; execute: boolean },
): Promise<LaneChange> {
  const change = async (client: PoolClient): Promise<LaneChange> => {
    let from = await presentLanes(client, to);
    if (execute) {
      await waitForWriters(client);
      // Another such change may have been faster.
      from = await presentLanes(client, to);
      await addLanes(client, from, to);
    }
    return { from, to };
  };
  return inTransaction(database, change, { commit: execute });
}

/** Two such changes exclude each other by the same lock. Relays only read the outbox, and go on. */
async function waitForWriters(client: PoolClient): Promise<void> {
  await client.query(`SET LOCAL lock_timeout = '${lockTimeout}'`);
  try {
    await client.query('LOCK TABLE signalbox.outbox IN SHARE ROW EXCLUSIVE MODE');
  } catch (error) {
    if ((error as { code?: unknown }).code !== lockNotAvailable) throw error;
    throw new UserError(
      `A transaction that has written to the outbox stayed open for ${lockTimeout} (pg_locks tells which). Nothing was changed; try again when it has ended.`,
    );
  }
}

async function presentLanes(client: PoolClient, to: number): Promise<number> {
  const { rows } = await client.query<{ lanes: number; closed: number }>(
    'SELECT count(*)::int AS lanes, count(opens_after_lane)::int AS closed FROM signalbox.lane',
  );
  const { lanes, closed } = rows[0] ?? { lanes: 0, closed: 0 };
  if (!Number.isInteger(Math.log2(to)) || to <= lanes || to > mostLanes) {
    throw new UserError(
      `There are ${lanes} lanes. --to ${to} must be a higher power of two, up to ${mostLanes}; lanes are never taken away.`,
    );
  }
  if (closed > 0) {
    throw new UserError(
      `${closed} lanes of the last change are still closed: the lanes they come from have events of before to publish. See "npx signalbox ops outbox status", and raise the number when they are open.`,
    );
  }
  return lanes;
}

async function addLanes(client: PoolClient, from: number, to: number): Promise<void> {
  await client.query(
    `INSERT INTO signalbox.lane (lane, opens_after_lane, opens_after_position, opens_after_xid)
     SELECT nr, nr % $1, p.last_value, pg_current_xact_id()
     FROM generate_series($1::int, $2::int - 1) nr, signalbox.outbox_position p`,
    [from, to],
  );
  // Plans that have taken the old function in are invalid from the commit on, also in transactions under way.
  await client.query(`
    CREATE OR REPLACE FUNCTION signalbox.lane_of(aggregate_id text) RETURNS smallint
      LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
      RETURN (hashtextextended(aggregate_id, 0) & ${to - 1})::smallint`);
}
