import type { Session } from '../session';
import { newRows } from './linkedRows';
import type { Reached } from './lockRows';
import type { Position } from './position';
import type { ImageStore } from './imageStore';

/*
 * After the write: which rows are at each position that were not there before, and what has become of those that were
 * held. A row that has got a new key counts as one that went and one that came.
 */

/** @param above keys, as they are now, of the rows that the positions belong to. */
export async function findRows(
  session: Session,
  images: ImageStore,
  positions: readonly Position[],
  above: readonly unknown[],
  reached: Reached,
): Promise<void> {
  const visit = async (position: Position, parents: readonly unknown[]): Promise<void> => {
    if (!mayGrow(position)) return;
    const { model } = position;
    const found = position.grows ? await newRows(session, position, parents, images.existingKeys(model)) : [];
    images.recordAfter(model, found);
    const keys = [...(reached.get(position) ?? []), ...found.map((row) => row[model.key])];
    for (const below of position.below) await visit(below, keys);
  };
  for (const position of positions) await visit(position, above);
  for (const [model, keys] of images.missing()) images.recordAfter(model, await session.read(model, keys));
}

const mayGrow = ({ grows, below }: Position): boolean => grows || below.some(mayGrow);
