import type { Queryable } from './openBatch';

/** A relay as its peers see it. */
export interface RelayIdentity {
  /** Unique to this run of the program. */
  readonly id: string;
  /** A name that may stay the same over restarts. */
  readonly instance: string;
}

export interface Heartbeat {
  /**
   * Ids of the relays that share the lanes, in an order that all of them see alike: those that are alive and do not
   * stand by, or all that are alive where none would be left.
   */
  readonly sharing: string[];
  /** The lanes that are still this relay's, with their epochs. */
  readonly owned: { readonly lane: number; readonly epoch: string }[];
  /** How many lanes there are, and how many of them are not open yet. */
  readonly lanes: number;
  readonly closed: number;
}

/*
 * Statements of one statement see one snapshot, so the row that is written here is added to the list by hand. Times
 * are the server's: clocks of relays need not agree.
 */
const sql = `
  WITH me AS (
    INSERT INTO signalbox.relay (id, instance, expires_at, stands_by)
    VALUES ($1, $2, clock_timestamp() + $3 * interval '1 millisecond', $4)
    ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at, stands_by = excluded.stands_by
    RETURNING id, stands_by
  ), alive AS (
    SELECT id, stands_by FROM me
    UNION ALL
    SELECT id, stands_by FROM signalbox.relay WHERE expires_at > clock_timestamp() AND id <> $1
  )
  SELECT
    ARRAY(SELECT id::text FROM alive
      WHERE NOT stands_by OR NOT EXISTS (SELECT FROM alive WHERE NOT stands_by) ORDER BY id) AS sharing,
    coalesce((SELECT jsonb_agg(jsonb_build_object('lane', lane, 'epoch', epoch::text) ORDER BY lane)
      FROM signalbox.lane WHERE owner = $1), '[]') AS owned,
    count(*)::int AS lanes, count(opens_after_lane)::int AS closed FROM signalbox.lane`;

/**
 * Says that the relay is alive for another `leaseMs`, which renews the lease on all of its lanes. One that stands by
 * leaves the lanes to the others, if there are any.
 */
export async function heartbeat(
  database: Queryable,
  { id, instance }: RelayIdentity,
  leaseMs: number,
  standsBy: boolean,
): Promise<Heartbeat> {
  const { rows } = await database.query<Heartbeat>(sql, [id, instance, leaseMs, standsBy]);
  const [row] = rows;
  if (!row) throw new Error('The heartbeat was not answered');
  return row;
}

/**
 * Forgets relays of the same instance name and those that are long dead, so that their lanes are free at once: a
 * relay that is restarted under its old name need not wait for its own lease to end.
 */
export async function forgetFormerSelf(database: Queryable, { id, instance }: RelayIdentity): Promise<void> {
  await database.query(
    `DELETE FROM signalbox.relay WHERE id <> $1
      AND (instance = $2 OR expires_at < clock_timestamp() - interval '1 hour')`,
    [id, instance],
  );
}

/** Takes the relay off the list; its peers share its lanes from their next heartbeat on. */
export async function signOff(database: Queryable, id: string): Promise<void> {
  await database.query('DELETE FROM signalbox.relay WHERE id = $1', [id]);
}
