import type { Aggregate } from '../../../../events/aggregate';
import { restricted } from '../../../../events/fields';
import { readTables } from '../../schema/tables';
import type { Internals } from '../../internals';
import { type CapturedModel, readModels } from '../model';
import { hasForeignKeys, type Relation } from '../../schema/relations';
import { type Links, readLinks, targetsFirst } from './links';

/** What is known of the models, for plans. */
export interface NestedGraph {
  readonly links: Links;
  /** The models whose rows can be told apart: the captured ones, and those that may lead to them. */
  readonly models: ReadonlyMap<string, CapturedModel>;
  /** The same, those that are pointed to before those that point to them. */
  readonly order: readonly CapturedModel[];
  readonly isCaptured: (model: string) => boolean;
  /** Whether the database knows the foreign keys. */
  readonly foreignKeys: boolean;
}

export function readGraph(
  captured: ReadonlyMap<string, CapturedModel>,
  relations: readonly Relation[],
  internals: Internals,
): NestedGraph {
  const models = new Map([...captured, ...readModels(silentAggregates(captured, internals), internals)]);
  return {
    links: readLinks(internals.models, relations),
    models,
    order: targetsFirst(models.keys(), relations).flatMap((name) => models.get(name) ?? []),
    isCaptured: (model) => captured.has(model),
    foreignKeys: hasForeignKeys(internals.schema),
  };
}

const keyTypes: ReadonlySet<string> = new Set(['String', 'Int', 'BigInt']);

/** Models without events, as aggregates that have none: their rows only lead to others. */
function silentAggregates(
  captured: ReadonlyMap<string, CapturedModel>,
  { models, schema }: Internals,
): ReadonlyMap<string, Aggregate> {
  const silent = new Map<string, Aggregate>();
  for (const [name, table] of readTables(schema)) {
    const types = new Map(models[name]?.fields.map((field) => [field.name, field.type]));
    const [key] =
      [...table.columns].find(
        ([field, { unique, nullable, list }]) =>
          unique && !nullable && !list && keyTypes.has(types.get(field) ?? ''),
      ) ?? [];
    if (key === undefined || captured.has(name)) continue;
    const fields = { [key]: { ...restricted(key), kind: 'json' as const } };
    silent.set(name, { type: name, model: name, key, version: '', fields, events: {} });
  }
  return silent;
}
