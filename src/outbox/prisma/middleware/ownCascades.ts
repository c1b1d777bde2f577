import { CaptureError } from '../../captureError';
import type { Cascades, RowChange } from './cascades';
import { isArgs } from './nested/entries';
import type { NestedPlan } from './nested/plan';
import type { Position } from './nested/position';
import type { Args } from './selection';

interface Write {
  readonly model: string;
  readonly change: RowChange;
}

/**
 * Refuses a write that sets off a cascade onto a table which it captures itself: the middleware would tell the change of
 * those rows, and a trigger a second time, or neither of them.
 * @throws CaptureError
 */
export function refuseOwnCascades(
  cascades: Cascades,
  request: { readonly model: string; readonly action: string; readonly args: Args },
  plan: NestedPlan | undefined,
): void {
  if (cascades.all.length === 0) return;
  const positions = [...(plan?.fresh ?? []), ...(plan?.changed ?? [])].flatMap(withBelow);
  const own = new Set([request.model, ...positions.map(({ model }) => model.name)]);
  for (const { model, change } of [...topWrites(request), ...positions.flatMap(nestedWrites)]) {
    const relation = cascades.of(model, change).find((each) => own.has(each.model));
    if (!relation) continue;
    const what = change === 'gone' ? `deletes rows of ${model}` : `gives a ${model} a new key`;
    throw new CaptureError(
      `"${request.action}" of ${request.model} ${what}, and the relation ${relation.model}.${relation.field} makes the ` +
        `database change rows of ${relation.model}, which the same write is about: which events that means could not be ` +
        'told. Do it in two writes of one transaction, or use the trigger engine (OUTBOX_CAPTURE=trigger).',
    );
  }
}

function topWrites({ model, action, args }: Parameters<typeof refuseOwnCascades>[1]): Write[] {
  if (action === 'delete' || action === 'deleteMany') return [{ model, change: 'gone' }];
  if (action.startsWith('create')) return [];
  return [{ model, change: namesOf(args[action === 'upsert' ? 'update' : 'data']) }];
}

const nestedWrites = ({ model: { name: model }, entries }: Position): Write[] =>
  entries.flatMap(({ operation, data }): Write[] =>
    operation === 'delete' || operation === 'deleteMany'
      ? [{ model, change: 'gone' }]
      : data.filter(({ fresh }) => !fresh).map(({ value }) => ({ model, change: namesOf(value) })),
  );

const withBelow = (position: Position): Position[] => [position, ...position.below.flatMap(withBelow)];

const namesOf = (data: unknown): Set<string> =>
  new Set(isArgs(data) ? Object.keys(data).filter((name) => data[name] !== undefined) : []);
