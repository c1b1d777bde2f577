import type { Row } from '../../../mapping';
import { lockMany, lockOne, plainKeyIn } from '../locking';
import type { CapturedModel } from '../model';
import type { Args } from '../selection';
import type { LockStrength, Session } from '../session';
import { CreatedNames } from './createdNames';
import { type Entry, isArgs, sweeping } from './entries';
import { linkedRows, pointedRows } from './linkedRows';
import type { Narrowing } from './narrow';
import type { Position } from './position';
import type { ImageStore } from './imageStore';
import { changes, changesNamed, namedStrength, strengthAt } from './strength';

/*
 * Before the write, level by level: lock the rows that it may change and take their images, and see which rows are
 * there already. A filter that may find a row anywhere is narrowed to the row that is locked, or to none.
 */

/** What was found at each position, by key: the rows below it are looked for under these. */
export type Reached = Map<Position, readonly unknown[]>;

export interface Locked {
  readonly reached: Reached;
  readonly narrowings: readonly Narrowing[];
}

/** @param above keys of the rows, locked already, that the positions belong to. */
export async function lockRows(
  session: Session,
  images: ImageStore,
  positions: readonly Position[],
  above: readonly unknown[],
): Promise<Locked> {
  const reached: Reached = new Map();
  const narrowings: Narrowing[] = [];
  const created = new CreatedNames(positions);
  const visit = async (position: Position, parents: readonly unknown[]): Promise<void> => {
    const { model } = position;
    const linked = await lockLinked(session, images, position, parents);
    const named = await lockNamed(session, images, position, created);
    narrowings.push(...named.narrowings);
    const keys = [...new Set([...linked, ...named.rows].map((row) => row[model.key]))];
    reached.set(position, keys);
    for (const below of position.below) await visit(below, keys);
  };
  for (const position of positions) await visit(position, above);
  return { reached, narrowings };
}

/** The rows linked to those above, as far as the write may change them; which others there are, as far as it matters. */
async function lockLinked(
  session: Session,
  images: ImageStore,
  position: Position,
  above: readonly unknown[],
): Promise<Row[]> {
  const { model, link, entries } = position;
  const strength = strengthAt(position);
  const touched = link.holds ? position.below.length > 0 || changes(entries) : entries.some(isSweep(model));
  const rows = touched
    ? await linkedRows(session, position, above, strength)
    : link.holds
      ? []
      : await lockByKey(session, model, entries, strength);
  images.recordBefore(model, rows);
  if (position.grows) {
    await holdGivenKeys(session, position);
    if (!touched) images.markExisting(model, await linkedRows(session, position, above, undefined));
    images.markExisting(model, await pointedRows(session, position));
  }
  return rows;
}

/**
 * A row whose key the write gives may be there and about to be deleted: the write would wait for that, and create it
 * anew. Waiting here makes sure that it does not count as known. A row that stays makes the write fail.
 */
async function holdGivenKeys(session: Session, position: Position): Promise<void> {
  const { model, entries } = position;
  const given = entries.flatMap(({ data }) => data.flatMap(({ value }) => value[model.key] ?? []));
  if (given.length === 0) return;
  const keys = given.map((value) => (isArgs(value) && 'set' in value ? value['set'] : value));
  await lockMany(session, model, { where: { [model.key]: { in: keys } } }, namedStrength(position));
}

/** Whether an entry may find rows that are not named by their keys. */
const isSweep =
  (model: CapturedModel) =>
  ({ operation, names }: Entry): boolean =>
    sweeping.has(operation) || (finding.has(operation) && keysIn(model, names?.where).length === 0);

/** Entries that find one of the linked rows. */
const finding: ReadonlySet<string> = new Set(['update', 'upsert', 'delete', 'disconnect']);

async function lockByKey(
  session: Session,
  model: CapturedModel,
  entries: readonly Entry[],
  strength: LockStrength,
): Promise<Row[]> {
  const keys = entries
    .filter(({ operation }) => finding.has(operation))
    .flatMap(({ names }) => keysIn(model, names?.where));
  return session.lock(model, [...new Set(keys)], strength);
}

/** Rows to be linked, wherever they are linked now. */
async function lockNamed(
  session: Session,
  images: ImageStore,
  position: Position,
  created: CreatedNames,
): Promise<{ rows: Row[]; narrowings: Narrowing[] }> {
  const { model, entries, grows } = position;
  const touches = changesNamed(position);
  const linked = entries.filter(({ operation }) => naming.has(operation));
  if (linked.length === 0 || (!touches && !grows)) return { rows: [], narrowings: [] };
  const strength = namedStrength(position);
  const byKey = new Set(linked.flatMap(({ names }) => keysIn(model, names?.where)));
  const rows = await session.lock(model, [...byKey], strength);
  const narrowings: Narrowing[] = [];
  for (const entry of linked) {
    const { names } = entry;
    if (!names) continue;
    const [key] = keysIn(model, names.where);
    const found =
      key === undefined
        ? await lockOne(session, model, names.where, strength)
        : rows.filter((row) => row[model.key] === key);
    if (key === undefined) rows.push(...found);
    if (found.length === 0 && created.includes(model, entry, names.where)) continue;
    narrowings.push({ path: names.path, model, keys: found.map((row) => row[model.key]) });
  }
  if (touches) images.recordBefore(model, rows);
  else images.markExisting(model, rows);
  return { rows: touches ? rows : [], narrowings };
}

const naming: ReadonlySet<string> = new Set(['connect', 'connectOrCreate', 'set']);

function keysIn(model: CapturedModel, where: Args | undefined): unknown[] {
  const key = where && plainKeyIn(model, where);
  return key === undefined ? [] : [key];
}
