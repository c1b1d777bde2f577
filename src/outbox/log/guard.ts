import { UserError } from '../../shared/lifecycle';
import type { TakenLane } from './lanes';
import { openBatch, type Queryable } from './openBatch';

/*
 * Cursors hold transaction ids and positions of one cluster. In another one (a restore from a dump, an upgrade) they
 * mean nothing: what is still to be published could be passed over in silence. So nothing is published then.
 */
const sql = `
  SELECT c.system_identifier::text AS known, s.system_identifier::text AS actual
  FROM pg_control_system() s LEFT JOIN signalbox.cluster c ON true`;

const remedy =
  'Run "npx signalbox ops outbox repair", which rebuilds the cursors from what was last published.';

/** @throws UserError when the lanes' cursors were not made by this cluster, or by a later state of it. */
export async function refuseForeignCursors(database: Queryable, lanes: readonly TakenLane[]): Promise<void> {
  const { rows } = await database.query<{ known: string | null; actual: string }>(sql);
  const [row] = rows;
  if (row?.known !== row?.actual) {
    throw new UserError(
      `The outbox's cursors belong to the database cluster ${row?.known ?? '(none)'}, but this is ${row?.actual}: it was restored or upgraded. ${remedy}`,
    );
  }
  const now = await openBatch(database);
  for (const { lane, cursor, lastPosition } of lanes) {
    const moments = [cursor.done, ...(cursor.batch ? [cursor.batch.horizon] : [])];
    const xid = moments.map((moment) => moment.xid).find((xid) => xid >= now.xid);
    if (xid !== undefined) {
      throw new UserError(
        `Lane ${lane}'s cursor is at transaction ${xid}, but the database is only at ${now.xid}: it was restored to an earlier state. ${remedy}`,
      );
    }
    const positions = [lastPosition, ...moments.map((moment) => moment.floor)];
    const position = positions.find((position) => position > now.ceiling);
    if (position !== undefined) {
      throw new UserError(
        `Lane ${lane}'s cursor is at position ${position}, but the outbox is only at ${now.ceiling}: its sequence was set back. ${remedy}`,
      );
    }
  }
}
