import type { RuntimeModels } from '../../internals';
import type { Relation } from '../../schema/relations';

/** A relation field as the model that has it sees it. */
export interface Link {
  readonly model: string;
  readonly field: string;
  readonly other: string;
  /** Whether the foreign key is on this side. */
  readonly holds: boolean;
  /** Undefined when neither side has a foreign key: an implicit relation of many to many. */
  readonly relation: Relation | undefined;
}

/** The relation fields of each model. */
export type Links = ReadonlyMap<string, readonly Link[]>;

export function readLinks(models: RuntimeModels, relations: readonly Relation[]): Links {
  return new Map(
    Object.entries(models).map(([model, { fields }]) => [
      model,
      fields
        .filter(({ kind }) => kind === 'object')
        .map(({ name, type }) => linkOf(relations, model, name, type)),
    ]),
  );
}

function linkOf(relations: readonly Relation[], model: string, field: string, other: string): Link {
  const own = relations.find((relation) => relation.model === model && relation.field === field);
  const inverse = relations.find((relation) => relation.target === model && relation.inverse === field);
  return { model, field, other, holds: own !== undefined, relation: own ?? inverse };
}

/** Models, those that are pointed to before those that point to them; within a circle in any order. */
export function targetsFirst(models: Iterable<string>, relations: readonly Relation[]): string[] {
  const ordered = new Set<string>();
  const entered = new Set<string>();
  const enter = (model: string): void => {
    if (entered.has(model)) return;
    entered.add(model);
    for (const relation of relations) if (relation.model === model) enter(relation.target);
    ordered.add(model);
  };
  for (const model of models) enter(model);
  return [...ordered];
}
