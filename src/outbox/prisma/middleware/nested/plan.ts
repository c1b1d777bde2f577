import { CaptureError } from '../../../captureError';
import type { Args } from '../selection';
import { refuseNewNames, refuseOrphans, refuseUnbounded } from './bounds';
import { creating, type Data, entriesOf, type Entry, isArgs, linking } from './entries';
import type { NestedGraph } from './graph';
import type { Link } from './links';
import type { Position } from './position';

/*
 * Which related rows a write may touch, told from its arguments alone: a tree of positions, one for each relation field
 * in the data, in which everything said about that field, anywhere at that place, is taken together. So a position means
 * more rows than the write will touch, and never fewer; which of them it has touched is read off the rows afterwards.
 */

export interface NestedPlan {
  /** Of the rows that the write creates at the top. */
  readonly fresh: readonly Position[];
  /** Of the row at the top that is there already. */
  readonly changed: readonly Position[];
}

/**
 * The plan of a write; undefined for one without nested writes that matter to captured models.
 * @throws CaptureError for a nested write whose events could not be told.
 */
export function planNested(
  graph: NestedGraph,
  model: string,
  action: string,
  args: Args,
): NestedPlan | undefined {
  if ((graph.links.get(model) ?? []).length === 0) return undefined;
  const plan = (name: string, fresh: boolean): Position[] => {
    const value = args[name];
    if (!isArgs(value)) return [];
    const top: Data = { value, path: [name], trail: `${model}.${action}`, owner: undefined, fresh };
    const positions = positionsOf(graph, model, [top]);
    refuseOrphans(graph, top, positions);
    refuseNewNames(graph, positions);
    return positions;
  };
  const fresh = action === 'upsert' ? plan('create', true) : action === 'create' ? plan('data', true) : [];
  const changed =
    action === 'upsert' ? plan('update', false) : action === 'update' ? plan('data', false) : [];
  if (fresh.length + changed.length === 0) return undefined;
  return { fresh, changed };
}

function positionsOf(graph: NestedGraph, model: string, data: readonly Data[]): Position[] {
  return (graph.links.get(model) ?? []).flatMap((link) => {
    const entries = data.flatMap((each) => entriesOf(link, each));
    if (entries.length === 0) return [];
    const below = positionsOf(
      graph,
      link.other,
      entries.flatMap((entry) => entry.data),
    );
    if (below.length === 0 && !matters(graph, link, entries)) return [];
    return [positionOf(graph, link, data, entries, below)];
  });
}

function positionOf(
  graph: NestedGraph,
  link: Link,
  siblings: readonly Data[],
  entries: readonly Entry[],
  below: readonly Position[],
): Position {
  const [model, above] = [graph.models.get(link.other), graph.models.get(link.model)];
  const relation = refuseUnbounded(graph, link, entries, siblings);
  if (!model || !above) throw new CaptureError(`The rows of ${link.other} can't be told apart`);
  const keys = [model.key, ...(link.holds ? relation.references : [])];
  const [foreignKey = ''] = link.holds ? relation.keys : [];
  return {
    link,
    model,
    above,
    entries,
    pointers: siblings.flatMap(({ value }) => pointersIn(value[foreignKey])),
    grows: entries.some(
      ({ operation, data }) =>
        creating.has(operation) || data.some(({ value }) => keys.some((key) => value[key] !== undefined)),
    ),
    below,
  };
}

/** Whether what happens at the other end of a relation can be a change of a captured row other than the one above. */
function matters(
  graph: NestedGraph,
  { model, other, holds, relation }: Link,
  entries: readonly Entry[],
): boolean {
  const onlyLinks = entries.every(({ operation }) => linking.has(operation));
  if (!relation) return graph.isCaptured(other) && !onlyLinks;
  if (!holds) return graph.isCaptured(other);
  return (graph.isCaptured(other) && !onlyLinks) || (graph.isCaptured(model) && !relation.manyToOne);
}

function pointersIn(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return isArgs(value) && 'set' in value ? pointersIn(value['set']) : [value];
}
