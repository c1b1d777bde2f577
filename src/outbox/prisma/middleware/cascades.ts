import { type Aggregate, keyFields } from '../../../events/aggregate';
import { watchedFields } from '../catalogueFits';
import { CaptureError } from '../../captureError';
import type { Relation } from '../schema/relations';

/**
 * Refuses relations by which the database would change captured rows behind Prisma's back.
 *
 * - When the other side is deleted, `Cascade` deletes rows and `SetNull`/`SetDefault` change them.
 * - When the other side's key changes, the foreign key follows (Prisma's default). That is no event as long as no rule
 *   reacts to the foreign key and the key of the aggregate is no part of it; the next event of the row carries the new
 *   value, because images are read from the database.
 * @throws CaptureError that lists all such relations with their remedy.
 */
export function refuseCascades(
  captured: ReadonlyMap<string, Aggregate>,
  relations: readonly Relation[],
): void {
  const problems = relations.flatMap((relation) => {
    const aggregate = captured.get(relation.model);
    return aggregate ? [...onDelete(relation), ...onUpdate(relation, aggregate)] : [];
  });
  if (problems.length > 0) throw new CaptureError(problems.join('\n'));
}

function onDelete({ model, field, target, onDelete: action }: Relation): string[] {
  if (action === 'Restrict' || action === 'NoAction') return [];
  const effect = action === 'Cascade' ? 'deletes rows' : 'changes rows';
  return [
    `The relation ${model}.${field} has "onDelete: ${action}": deleting a ${target} ${effect} of ${model} inside the ` +
      'database, where their events can\'t be told. Set "onDelete: Restrict" and delete or change the rows first, or ' +
      'use the trigger engine (OUTBOX_CAPTURE=trigger).',
  ];
}

function onUpdate(
  { model, field, keys, target, onUpdate: action }: Relation,
  aggregate: Aggregate,
): string[] {
  if (action === 'Restrict' || action === 'NoAction') return [];
  const watched = watchedFields(aggregate);
  const felt = keys.filter((key) => keyFields(aggregate).includes(key) || watched.has(key));
  if (felt.length === 0) return [];
  return [
    `The relation ${model}.${field} has "onUpdate: ${action}" and an event reacts to ${felt.join(', ')}: a new key of a ` +
      `${target} changes rows of ${model} inside the database, where their events can't be told. Set ` +
      '"onUpdate: Restrict", or use the trigger engine (OUTBOX_CAPTURE=trigger).',
  ];
}
