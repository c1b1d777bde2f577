import { CaptureError } from '../../../captureError';
import type { Relation } from '../../schema/relations';
import type { Args } from '../selection';
import { creating, type Data, type Entry, isArgs, relinking } from './entries';
import type { NestedGraph } from './graph';
import type { Link } from './links';
import { flattened, type Position } from './position';

/*
 * What has no bounds is refused: nested writes that may touch, or leave behind, captured rows which nothing leads to
 * from the rows that are known.
 */

/**
 * @returns the relation of a link whose rows can be found.
 * @throws CaptureError for any other.
 */
export function refuseUnbounded(
  graph: NestedGraph,
  link: Link,
  entries: readonly Entry[],
  siblings: readonly Data[],
): Relation {
  const { relation } = link;
  const why = ((): string | undefined => {
    if (!relation)
      return `${link.model}.${link.field} is a relation of many to many without a model of its own`;
    if (relation.keys.length !== 1) return `${link.model}.${link.field} has a foreign key of several fields`;
    if (!relation.manyToOne) return `${link.model}.${link.field} is not a relation of many to one`;
    if (!graph.foreignKeys) return 'with relationMode "prisma" the database does not guard the relations';
    const vague = [link.model, link.other].find((model) => !graph.models.has(model));
    if (vague !== undefined) return `${vague} has no single field that tells its rows apart`;
    return link.holds ? vagueTarget(link, relation, entries, siblings) : undefined;
  })();
  if (relation && why === undefined) return relation;
  const [entry] = entries;
  throw refusal(graph, link, entry?.trail ?? '', why ?? '');
}

/** A row that points to what it was not told to point to can't be told from one whose target was created. */
function vagueTarget(
  { field }: Link,
  { defaulted }: Relation,
  entries: readonly Entry[],
  siblings: readonly Data[],
): string | undefined {
  const creators = entries.filter(({ operation }) => creating.has(operation));
  const rivals = creators.filter((entry) =>
    entries.some((other) => other !== entry && other.within === entry.within),
  );
  if (rivals.length > 0) return `"${field}" is given several operations at once`;
  const silent = siblings.some(({ value, fresh }) => fresh && value[field] === undefined);
  return defaulted && silent && creators.length > 0
    ? `the foreign key of "${field}" has a default`
    : undefined;
}

/**
 * Rows that the write creates are found through the rows that they are linked to. So nothing in the same write may
 * cut the link again.
 * @throws CaptureError when something may.
 */
export function refuseOrphans(graph: NestedGraph, top: Data, positions: readonly Position[]): void {
  const all = flattened(positions);
  for (const position of all) {
    const creators = position.entries.filter(({ operation }) => creating.has(operation));
    for (const creator of creators) {
      const rival = position.link.holds ? holderRival(all, top, position, creator) : unlinker(all, position);
      if (!rival) continue;
      const why = `"${rival.trail}" of the same write may cut the new row off`;
      throw refusal(graph, position.link, creator.trail, why);
    }
  }
}

/**
 * A row to be linked is looked for before the write. Under a key that the write itself is to give to another row it
 * would not be found, or the wrong one would.
 * @throws CaptureError for a filter with such a key.
 */
export function refuseNewNames(graph: NestedGraph, positions: readonly Position[]): void {
  const all = flattened(positions);
  for (const { model, link, entries } of all) {
    const changes = all
      .filter((other) => other.model === model)
      .flatMap((other) => other.entries.flatMap(({ data }) => data.filter(({ fresh }) => !fresh)));
    for (const entry of entries.filter(({ operation }) => relinking.has(operation))) {
      const key = keyNamed(entry, model.key);
      const giver = changes.find(({ value }) => key !== undefined && keyIn(value[model.key]) === key);
      if (!giver) continue;
      const why = `"${giver.trail}" of the same write gives a row the key that it looks for`;
      throw refusal(graph, link, entry.trail, why);
    }
  }
}

/** What may take a new row away from the row that it was created under. That it may be deleted again does no harm. */
function unlinker(all: readonly Position[], position: Position): Entry | undefined {
  const { relation } = position.link;
  return all
    .filter(({ model }) => model === position.model)
    .flatMap((other) =>
      other.entries.filter((entry) =>
        other === position
          ? // Prisma refuses to unlink a row that must be linked.
            relation?.optional === true && (entry.operation === 'set' || entry.operation === 'disconnect')
          : movesRows(other, entry, relation),
      ),
    )
    .at(0);
}

/** What may delete, or point elsewhere, the row that points to a new one. */
function holderRival(
  all: readonly Position[],
  top: Data,
  { link, above }: Position,
  creator: Entry,
): { readonly trail: string } | undefined {
  const { owner, fresh } = creator.within;
  const { relation } = link;
  const isTop = all.some(
    (other) => other.above === above && other.entries.some(({ within }) => within === top),
  );
  if (owner && !top.fresh && isTop && pointsElsewhere(top.value, relation)) return top;
  const own = owner && keyNamed(owner, above.key);
  return all
    .filter(({ model }) => model === above)
    .flatMap((other) =>
      other.entries.filter(
        (entry) =>
          entry.operation === 'delete' ||
          entry.operation === 'deleteMany' ||
          movesRows(other, entry, relation),
      ),
    )
    .find((entry) => {
      if (entry === owner) return false;
      const named = keyNamed(entry, above.key);
      return fresh || own === undefined || named === undefined || named === own;
    });
}

/** Whether an entry may change where rows that are there point to. */
function movesRows({ link }: Position, { operation, data }: Entry, relation: Relation | undefined): boolean {
  if (!link.holds && link.relation === relation && relinking.has(operation)) return true;
  return data.some(({ value, fresh }) => !fresh && pointsElsewhere(value, relation));
}

function pointsElsewhere(data: Args, relation: Relation | undefined): boolean {
  if (relation?.keys.some((key) => data[key] !== undefined)) return true;
  const given = data[relation?.field ?? ''];
  return (
    isArgs(given) &&
    Object.entries(given).some(([operation, value]) => operation !== 'update' && value !== undefined)
  );
}

/** The key by which an entry names its row, as a text; undefined when it does not name it by its key. */
function keyNamed({ names }: Entry, key: string): string | undefined {
  return keyIn(names?.where[key]);
}

function keyIn(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null && 'set' in value) return keyIn(value.set);
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : undefined;
}

function refusal(graph: NestedGraph, { model, other }: Link, trail: string, why: string): CaptureError {
  const reached = graph.isCaptured(other) || !graph.isCaptured(model) ? other : model;
  return new CaptureError(
    `The nested write "${trail}" changes rows of ${reached}, whose events capture could not tell: ${why}. Write them ` +
      'one after the other in one transaction instead: prisma.$transaction(async (tx) => { … }).',
  );
}
