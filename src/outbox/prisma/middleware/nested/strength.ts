import { strengthFor } from '../locking';
import type { CapturedModel } from '../model';
import type { LockStrength } from '../session';
import { changing, type Entry } from './entries';
import type { Position } from './position';

/* How strong the locks of a nested write must be. */

/** Whether one of the entries changes rows that are there. */
export const changes = (entries: readonly Entry[]): boolean =>
  entries.some(({ operation }) => changing.has(operation));

/** On the side that holds the key a connect changes nothing of the row that it names. */
export function changesNamed({ link, entries, below }: Position): boolean {
  return !link.holds || below.length > 0 || changes(entries);
}

/** The lock for rows that entries name, or give the key of. */
export function namedStrength(position: Position): LockStrength {
  return changesNamed(position) ? strengthAt(position) : 'KEY SHARE';
}

/** As strong as the locks that the write itself will take, and against new links to rows that have rows below them. */
export function strengthAt({ model, link, entries, below }: Position): LockStrength {
  const removes = entries.some(({ operation }) => operation === 'delete' || operation === 'deleteMany');
  if (removes || below.some((each) => !each.link.holds)) return 'UPDATE';
  const data = entries.flatMap((entry) => entry.data.filter(({ fresh }) => !fresh).map(({ value }) => value));
  if (!link.holds && link.relation?.keys.some((key) => model.uniqueFields.has(key))) return 'UPDATE';
  return data.some((value) => strengthFor(model, value) === 'UPDATE') ? 'UPDATE' : 'NO KEY UPDATE';
}

/** The lock that the row at the top needs. */
export function topStrength(
  model: CapturedModel,
  data: unknown,
  positions: readonly Position[],
): LockStrength {
  return positions.some(({ link }) => !link.holds) ? 'UPDATE' : strengthFor(model, data);
}
