import type { Aggregate } from '../../events/aggregate';
import { CaptureError } from './captureError';
import type { RuntimeModels } from './internals';
import type { Relation } from './relations';
import type { Args } from './selection';

/*
 * Nested writes: operations inside the data of a relation field. Those that reach a captured model are refused, except
 * a `connect` that does no more than set the foreign key of the row being written: on the side that holds the key, of a
 * relation where many rows may point to one. (Of a one-to-one relation, a connect takes the key away from another row.)
 */

export interface RelationGraph {
  readonly captured: ReadonlyMap<string, Aggregate>;
  readonly models: RuntimeModels;
  readonly relations: readonly Relation[];
}

/** @throws CaptureError for a nested write that capture can't see. */
export function refuseNestedWrites(graph: RelationGraph, model: string, action: string, args: Args): void {
  const data = action === 'upsert' ? [args['create'], args['update']] : args['data'];
  for (const each of objects(data)) walk(graph, model, `${model}.${action}`, each);
}

function walk(graph: RelationGraph, model: string, path: string, data: Args): void {
  for (const { name, type } of relationFields(graph, model)) {
    for (const nested of objects(data[name])) {
      for (const [operation, value] of Object.entries(nested)) {
        if (value === undefined) continue;
        const here = `${path}, ${name}.${operation}`;
        if (reachesCaptured(graph, model, name, type, operation)) throw refusal(graph, model, type, here);
        for (const inner of innerData(operation, value)) walk(graph, type, here, inner);
      }
    }
  }
}

function relationFields({ models }: RelationGraph, model: string) {
  return (models[model]?.fields ?? []).filter(({ kind }) => kind === 'object');
}

function reachesCaptured(
  { captured, relations }: RelationGraph,
  model: string,
  field: string,
  type: string,
  operation: string,
): boolean {
  const own = relations.find((relation) => relation.model === model && relation.field === field);
  if (own && operation === 'connect') return captured.has(model) && !own.manyToOne;
  return captured.has(type) || (own !== undefined && captured.has(model));
}

/** The data of the rows that a nested operation writes. */
function innerData(operation: string, value: unknown): Args[] {
  return objects(value).flatMap((each) => {
    switch (operation) {
      case 'create':
        return [each];
      case 'createMany':
      case 'updateMany':
        return objects(each['data']);
      case 'update':
        return objects(each['data'] ?? each);
      case 'connectOrCreate':
        return objects(each['create']);
      case 'upsert':
        return [...objects(each['create']), ...objects(each['update'])];
      default:
        return [];
    }
  });
}

function refusal({ captured }: RelationGraph, model: string, type: string, path: string): CaptureError {
  const reached = captured.has(type) ? type : model;
  return new CaptureError(
    `The nested write "${path}" changes rows of ${reached}, whose events capture could not tell. Write them one after ` +
      'the other in one transaction instead: prisma.$transaction(async (tx) => { … }).',
  );
}

function objects(value: unknown): Args[] {
  return [value].flat().filter((each): each is Args => typeof each === 'object' && each !== null);
}
