import fc from 'fast-check';
import type { Isolation, Item, Step, Write } from './steps';
import { hasNestedWrites } from './nested';
import * as value from './values';
import { population, writes } from './writes';

/* Writes put into transactions of every kind. */

const end = fc.oneof(
  { arbitrary: fc.constant('commit' as const), weight: 4 },
  { arbitrary: fc.constant('throw' as const), weight: 1 },
);
const isolationLevel = fc.constantFrom<Isolation>('ReadCommitted', 'RepeatableRead', 'Serializable');

/**
 * Writes that Prisma makes in one statement. Those of several statements would mix with others that were started at the
 * same time, in an order that plain Prisma does not promise either.
 */
function isOneStatement({ action, args }: Write): boolean {
  const returnsRelations = ['select', 'include'].some((choice) => {
    const chosen = args[choice];
    return typeof chosen === 'object' && chosen !== null && ('patient' in chosen || 'appointments' in chosen);
  });
  const connects = ['data', 'create', 'update'].some((part) => {
    const given = args[part];
    return typeof given === 'object' && given !== null && ('patient' in given || 'appointments' in given);
  });
  return action !== 'upsert' && !returnsRelations && !connects;
}

/**
 * A nested write that fails and is caught: plain Prisma, and the trigger engine with it, leave standing what it had done
 * until then, the middleware leaves nothing. nestedTransactions.test.ts of the middleware has those.
 */
const unlessHalfDone = <T extends { write: Write; caught: boolean }>(item: T): T =>
  hasNestedWrites(item.write) ? { ...item, caught: false } : item;

function items(write: fc.Arbitrary<Write>): fc.Arbitrary<Item[]> {
  const caught = fc.boolean();
  const { items: body } = fc.letrec<{ item: Item; items: Item[] }>((tie) => ({
    item: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      {
        arbitrary: fc.record({ kind: fc.constant('write' as const), write, caught }).map(unlessHalfDone),
        weight: 8,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('append' as const),
          aggregateId: fc.oneof(fc.constant('newsletter'), value.patientId),
          data: value.letter,
          caught,
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({
          kind: fc.constant('together' as const),
          writes: fc.array(write.filter(isOneStatement), { minLength: 2, maxLength: 3 }),
        }),
        weight: 1,
      },
      {
        arbitrary: fc.record({ kind: fc.constant('nested' as const), items: tie('items'), end, caught }),
        weight: 2,
      },
    ),
    items: fc.array(tie('item'), { minLength: 1, maxLength: 4 }),
  }));
  return body;
}

function steps(write: fc.Arbitrary<Write>): fc.Arbitrary<Step> {
  const { context } = value;
  return fc.oneof(
    { arbitrary: fc.record({ kind: fc.constant('alone' as const), context, write }), weight: 5 },
    {
      arbitrary: fc.record({
        kind: fc.constant('batch' as const),
        context,
        writes: fc.array(write, { minLength: 1, maxLength: 4 }),
      }),
      weight: 1,
    },
    {
      arbitrary: fc.record(
        { kind: fc.constant('interactive' as const), context, items: items(write), end, isolationLevel },
        { requiredKeys: ['kind', 'context', 'items', 'end'] },
      ),
      weight: 3,
    },
  );
}

const populating = population.map((write): Step => ({ kind: 'alone', context: {}, write }));

/** How many of the first steps only put in the rows that most sequences begin with. */
export function populatingSteps(steps: readonly Step[]): number {
  const other = steps.findIndex((step, nr) => step !== populating[nr]);
  return other === -1 ? steps.length : other;
}

/** Sequences of steps; most begin with some rows to work on. */
export function sequences(options: { readonly anyLimit: boolean }): fc.Arbitrary<Step[]> {
  const beginning = fc.oneof(
    { arbitrary: fc.constant(0), weight: 1 },
    { arbitrary: fc.constant(1), weight: 1 },
    { arbitrary: fc.constant(populating.length), weight: 8 },
  );
  const rest = fc.array(steps(writes(options)), { minLength: 1, maxLength: 10, size: 'max' });
  return fc.tuple(beginning, rest).map(([start, more]) => [...populating.slice(0, start), ...more]);
}
