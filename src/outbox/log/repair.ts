/*
 * Makes the cursors fit for another cluster, or for a set-back state of this one: after a restore, an upgrade by dump,
 * or whatever else made the guard refuse (guard.ts).
 *
 * Snapshots and transaction ids of another cluster mean nothing to this one's transactions, but they still tell which
 * rows they saw: whether a snapshot lists an id is plain arithmetic. So each row is judged once by its old cursor, and
 * the answer is written down in ids that hold in any cluster: 0, which no cursor reads, for what was published, and 3,
 * the first id of every cluster, which every snapshot sees, for what waits. Rows that came after the restore lie above
 * all that the old cursors know, and wait.
 *
 * Relays must not run, and writers wait for the moment it takes; the whole of it is one transaction.
 */
import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../../shared/inTransaction';
import { UserError } from '../../shared/lifecycle';

/** A lane and how many of its events wait to be published. */
export interface RepairedLane {
  readonly lane: number;
  readonly waiting: number;
}

const judge = `
  CREATE TEMPORARY TABLE judged ON COMMIT DROP AS
  SELECT o.lane, o.position, o.txid = '0' OR
    pg_visible_in_snapshot(o.txid, l.done_snapshot) AND o.position <= l.last_position
      OR coalesce(pg_visible_in_snapshot(o.txid, l.batch_snapshot) AND o.position <= l.batch_position, false)
      AS published
  FROM signalbox.outbox o JOIN signalbox.lane l USING (lane)`;

const floors = `
  UPDATE signalbox.lane l SET owner = NULL, epoch = epoch + 1, done_snapshot = '1:1:', done_xid = '0',
    done_floor = coalesce(
      (SELECT min(j.position) - 1 FROM judged j WHERE j.lane = l.lane AND NOT j.published),
      (SELECT max(j.position) FROM judged j WHERE j.lane = l.lane), 0),
    batch_snapshot = NULL, batch_xid = NULL, batch_floor = NULL, batch_ceiling = NULL, batch_position = NULL,
    opens_after_xid = CASE WHEN opens_after_lane IS NOT NULL THEN pg_current_xact_id() END`;

/*
 * All rows, also those that no main range reads again: this cluster will give the ids that they carry to transactions
 * of its own, and might take them for stragglers then; and the janitor asks every row whether it has been published.
 */
const stamp = `
  UPDATE signalbox.outbox o SET txid = CASE WHEN j.published THEN '0'::xid8 ELSE '3'::xid8 END
  FROM judged j
  WHERE o.lane = j.lane AND o.position = j.position
    AND o.txid <> CASE WHEN j.published THEN '0'::xid8 ELSE '3'::xid8 END`;

const advanceSequence = `
  SELECT setval('signalbox.outbox_position', greatest(
    (SELECT last_value FROM signalbox.outbox_position),
    (SELECT max(position) FROM signalbox.outbox), (SELECT max(last_position) FROM signalbox.lane), 1))`;

const adoptCluster = `
  INSERT INTO signalbox.cluster (system_identifier) SELECT system_identifier FROM pg_control_system()
  ON CONFLICT ("only") DO UPDATE SET system_identifier = excluded.system_identifier`;

const waiting = `
  SELECT l.lane, count(j.position)::int AS waiting
  FROM signalbox.lane l LEFT JOIN judged j ON j.lane = l.lane AND NOT j.published GROUP BY l.lane ORDER BY l.lane`;

/**
 * Rebuilds the cursors, or with `execute: false` finds out what would wait and changes nothing.
 * @throws UserError while a relay is alive.
 */
export function repairCursors(database: Pool, { execute }: { execute: boolean }): Promise<RepairedLane[]> {
  return inTransaction(database, repair, { commit: execute });
}

async function repair(client: PoolClient): Promise<RepairedLane[]> {
  // Waits for writers that are under way and holds up new ones: every row is there to be judged.
  await client.query(
    'LOCK TABLE signalbox.relay, signalbox.lane, signalbox.outbox IN SHARE ROW EXCLUSIVE MODE',
  );
  await refuseWhileRelaysRun(client);
  await client.query(judge);
  const { rows } = await client.query<RepairedLane>(waiting);
  for (const step of [floors, stamp, advanceSequence, adoptCluster]) await client.query(step);
  return rows;
}

async function refuseWhileRelaysRun(client: PoolClient): Promise<void> {
  const { rows } = await client.query<{ instance: string }>(
    'SELECT instance FROM signalbox.relay WHERE expires_at > clock_timestamp() ORDER BY instance',
  );
  if (rows.length === 0) return;
  const names = rows.map(({ instance }) => instance).join(', ');
  throw new UserError(
    `Relays are running (${names}). Stop them, or wait for their lease to end, and repair then.`,
  );
}
