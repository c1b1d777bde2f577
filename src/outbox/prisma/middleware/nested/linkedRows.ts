import type { Row } from '../../../mapping';
import type { LockStrength, Session } from '../session';
import type { Position } from './position';

/*
 * Rows at a position, found through the foreign key from the rows above it.
 *
 * Under a lock of the rows above nobody can link another row to them: who points to a row takes a lock of its own on it
 * (for the foreign key), and the key of the row that holds it is under ours.
 */

/** The images of the linked rows in the order of their keys, locked if so wished. */
export async function linkedRows(
  session: Session,
  position: Position,
  above: readonly unknown[],
  lock: LockStrength | undefined,
): Promise<Row[]> {
  if (above.length === 0) return [];
  const order = ` ORDER BY ${position.model.sqlKey}`;
  const locking = lock === undefined ? '' : ` FOR ${lock}`;
  return session.select(position.model, `${linkedTo(position)}${order}${locking}`, [above]);
}

/** The images of the linked rows that have none of the keys given, and of those that are seen twice (see `select`). */
export async function newRows(
  session: Session,
  position: Position,
  above: readonly unknown[],
  known: readonly unknown[],
): Promise<Row[]> {
  if (above.length === 0) return [];
  const { model } = position;
  const linked = linkedTo(position);
  const twice = `SELECT ${model.sqlKey} FROM ${model.sqlName} WHERE ${linked} GROUP BY 1 HAVING count(*) > 1`;
  const condition = `${linked} AND (${model.sqlKey} <> ALL($2) OR ${model.sqlKey} IN (${twice}))`;
  return session.select(model, `${condition} ORDER BY ${model.sqlKey}`, [above, known]);
}

/** The rows whose referenced field has one of these values. */
export async function pointedRows(session: Session, position: Position): Promise<Row[]> {
  const { model, link, pointers } = position;
  if (pointers.length === 0) return [];
  const column = model.columns.get(link.relation?.references[0] ?? '') ?? '';
  return session.select(model, `${column} = ANY($1)`, [pointers]);
}

function linkedTo({ link, model, above }: Position): string {
  const { relation, holds } = link;
  const [holder, target] = holds ? [above, model] : [model, above];
  const foreignKey = holder.columns.get(relation?.keys[0] ?? '') ?? '';
  const reference = target.columns.get(relation?.references[0] ?? '') ?? '';
  const [here, there] = holds ? [reference, foreignKey] : [foreignKey, reference];
  if (there === above.sqlKey) return `${here} = ANY($1)`;
  return `${here} IN (SELECT ${there} FROM ${above.sqlName} WHERE ${above.sqlKey} = ANY($1))`;
}
