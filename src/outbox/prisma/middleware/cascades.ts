import { type Aggregate, keyFields } from '../../../events/aggregate';
import { CaptureError } from '../../captureError';
import { watchedFields } from '../catalogueFits';
import type { Relation } from '../schema/relations';

/** What happens to a row: it goes, or some of its fields get new values. */
export type RowChange = 'gone' | ReadonlySet<string>;

/**
 * What foreign keys do to captured rows, inside the database and behind Prisma's back, when other rows go or get new keys.
 * The statement that sets it off is marked as captured for its own table only, so installed triggers tell the events of
 * all other tables; what returns to the same table is told by neither engine.
 */
export class Cascades {
  /** All relations by which captured rows may change; most schemas that were made for this engine have none. */
  readonly all: readonly Relation[];

  constructor(
    private readonly captured: ReadonlyMap<string, Aggregate>,
    private readonly relations: readonly Relation[],
  ) {
    this.all = relations.filter((relation) =>
      (['gone', new Set(relation.references)] as const).some((change) => {
        const next = this.#next(relation, change);
        return next !== undefined && this.#isFelt(relation.model, next);
      }),
    );
  }

  /** The relations by which a change of a model's rows is felt by captured rows, through others too. */
  of(model: string, change: RowChange, seen = new Set<string>()): Relation[] {
    if (this.all.length === 0) return [];
    return this.relations.flatMap((relation) => {
      if (relation.target !== model) return [];
      const next = this.#next(relation, change);
      const name = `${relation.model}.${relation.field} ${next === 'gone' ? 'gone' : ''}`;
      if (next === undefined || seen.has(name)) return [];
      seen.add(name);
      return [
        ...(this.#isFelt(relation.model, next) ? [relation] : []),
        ...this.of(relation.model, next, seen),
      ];
    });
  }

  /** What a change of the rows that a relation points to does to those that point to them. */
  #next({ onDelete, onUpdate, keys, references }: Relation, change: RowChange): RowChange | undefined {
    if (change !== 'gone' && !references.some((field) => change.has(field))) return undefined;
    const action = change === 'gone' ? onDelete : onUpdate;
    if (action === 'Restrict' || action === 'NoAction') return undefined;
    return change === 'gone' && action === 'Cascade' ? 'gone' : new Set(keys);
  }

  /** A foreign key to which no event reacts may follow: the next event carries it, for images are read from the database. */
  #isFelt(model: string, change: RowChange): boolean {
    const aggregate = this.captured.get(model);
    if (!aggregate) return false;
    if (change === 'gone') return true;
    const felt = new Set([...keyFields(aggregate), ...watchedFields(aggregate)]);
    return [...change].some((field) => felt.has(field));
  }
}

/**
 * Refuses a schema whose cascades neither engine can tell.
 * @throws CaptureError that lists all such relations with their remedy.
 */
export function refuseCascades(
  captured: ReadonlyMap<string, Aggregate>,
  relations: readonly Relation[],
  { foreignKeys }: { readonly foreignKeys: boolean },
): Cascades {
  const cascades = new Cascades(captured, relations);
  const problems = foreignKeys
    ? [...captured.keys()].flatMap((model) =>
        cascades
          .of(model, 'gone')
          .filter((relation) => relation.model === model)
          .map((relation) => returning(relation)),
      )
    : cascades.all.map((relation) => byPrisma(relation));
  if (problems.length > 0) throw new CaptureError(problems.join('\n'));
  return cascades;
}

const returning = ({ model, field, onDelete }: Relation): string =>
  `The relation ${model}.${field} has "onDelete: ${onDelete}": deleting a ${model} may delete or change other rows of ` +
  `${model} inside the database, where neither the middleware engine nor the triggers beside it can tell their events. ` +
  'Set "onDelete: Restrict" and delete or change those rows first, or use the trigger engine (OUTBOX_CAPTURE=trigger).';

const byPrisma = ({ model, field, onDelete, onUpdate, target }: Relation): string =>
  `The relation ${model}.${field} has "onDelete: ${onDelete}" and "onUpdate: ${onUpdate}", which Prisma carries out itself ` +
  `with relationMode = "prisma": a write of a ${target} may change rows of ${model} that the middleware engine does not ` +
  'see. Set both to "Restrict" or "NoAction", or use the trigger engine (OUTBOX_CAPTURE=trigger).';

/** How a relation needs triggers, as the beginning of a sentence. */
export function needsTriggers({ model, field, target, onDelete, onUpdate }: Relation): string {
  const deletes = onDelete !== 'Restrict' && onDelete !== 'NoAction';
  const action = deletes ? `onDelete: ${onDelete}` : `onUpdate: ${onUpdate}`;
  const cause = deletes ? 'deleting' : 'a new key of';
  return `The relation ${model}.${field} has "${action}": ${cause} a ${target} changes rows of ${model} inside the database, where only triggers can tell their events`;
}
