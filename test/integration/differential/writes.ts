import fc from 'fast-check';
import { appointment, type Arb, type Args, merged, type Model, nothing, optional, patient } from './models';
import type { ModelName, Write } from './steps';
import * as value from './values';

/*
 * Single writes, each a plain call of an operation.
 *
 * What a write does must not depend on the order in which Postgres finds rows, which may differ between databases that
 * hold the same: so a bulk update sets times in pairs (either it meets the exclusion constraint or nothing), and a
 * `limit` either chooses among one row at most or is beyond what there is. `anyLimit` lifts the latter.
 */

/** What a call returns. `select`, `omit` and `include` hide the key, restricted fields, or all that events carry. */
function returning(model: ModelName, relations: boolean): Arb {
  const other = model === 'patient' ? 'appointments' : 'patient';
  const related = model === 'patient' ? { orderBy: { startsAt: 'asc' }, select: { startsAt: true } } : true;
  const choices: Args[] = [
    { select: { id: true } },
    { select: model === 'patient' ? { phone: true } : { reason: true } },
    { omit: { id: true } },
    { omit: model === 'patient' ? { email: true, clinicalNotes: true } : { status: true, startsAt: true } },
    ...(relations ? [{ include: { [other]: related } }, { select: { [other]: related } }] : []),
  ];
  return fc.oneof({ arbitrary: nothing, weight: 3 }, { arbitrary: fc.constantFrom(...choices), weight: 1 });
}

const where = (filter: Arb): Arb =>
  fc.oneof(
    { arbitrary: filter.map((found): Args => ({ where: found })), weight: 5 },
    { arbitrary: nothing, weight: 1 },
  );

/** A filter with a limit that leaves no choice, unless any will do. */
function selection({ id, filter }: Model, anyLimit: boolean): Arb {
  const limited = anyLimit
    ? merged(where(filter), fc.record({ limit: fc.integer({ min: 1, max: 2 }) }))
    : fc.oneof(
        merged(where(filter), fc.constantFrom<Args>({ limit: 0 }, { limit: 1_000 })),
        id.map((each): Args => ({ where: { id: each }, limit: 1 })),
      );
  return fc.oneof(
    { arbitrary: where(filter), weight: anyLimit ? 1 : 4 },
    { arbitrary: limited, weight: anyLimit ? 2 : 1 },
  );
}

const data = (arbitrary: Arb): Arb => arbitrary.map((each) => ({ data: each }));
const list = (arbitrary: Arb): Arb =>
  fc.oneof(
    { arbitrary: fc.array(arbitrary, { maxLength: 4 }).map((all): Args => ({ data: all })), weight: 6 },
    { arbitrary: data(arbitrary), weight: 1 },
  );
const skip = optional({ skipDuplicates: fc.boolean() });

/** A bulk write that gives its one row a new key, by a filter that is true no longer afterwards. */
const rekeyed = ({ id, newId, changedInBulk }: Model): Arb =>
  fc
    .tuple(id, newId, changedInBulk)
    .map(([from, to, change]) => ({ where: { id: from }, data: { ...change, id: to } }));

const createsOne = fc.constant('createManyAndReturn');

function writesOf(model: Model, anyLimit: boolean): fc.Arbitrary<Write> {
  const one = returning(model.name, true);
  const many = returning(model.name, false);
  const call = (weight: number, action: fc.Arbitrary<string> | string, args: Arb) => ({
    weight,
    arbitrary: fc.record({
      model: fc.constant(model.name),
      action: typeof action === 'string' ? fc.constant(action) : action,
      args,
    }),
  });
  const picked = selection(model, anyLimit);
  const changes = merged(picked, data(model.changedInBulk));
  return fc.oneof(
    call(4, 'create', merged(data(model.created), one)),
    call(2, 'createMany', merged(list(model.createdInBulk), skip)),
    call(2, createsOne, merged(list(model.createdInBulk), skip, many)),
    call(5, 'update', merged(fc.record({ where: model.unique }), data(model.changed), one)),
    call(3, 'updateMany', changes),
    call(2, 'updateManyAndReturn', merged(changes, many)),
    call(1, fc.constantFrom('updateMany', 'updateManyAndReturn'), rekeyed(model)),
    call(
      4,
      'upsert',
      merged(
        fc
          .record({ where: model.identity, create: model.createdByUpsert, update: model.changed })
          .filter(isText),
        one,
      ),
    ),
    call(1, 'delete', merged(fc.record({ where: model.unique }), one)),
    call(1, 'deleteMany', picked),
  );
}

/**
 * Plain Prisma may send both halves of an upsert, and Postgres then refuses a NUL in either; the middleware sends the
 * half that is carried out.
 */
const isText = (args: object): boolean => !JSON.stringify(args).includes('\\u0000');

/** `anyLimit`: also limits that leave it to Postgres which rows are written. */
export function writes({ anyLimit }: { readonly anyLimit: boolean }): fc.Arbitrary<Write> {
  return fc.oneof(writesOf(patient, anyLimit), writesOf(appointment, anyLimit));
}

/** Patients, and an appointment of each, so that there is something to change. */
export const population: readonly Write[] = [
  {
    model: 'patient',
    action: 'createMany',
    args: {
      data: value.populatedPatients.map((given) => ({ ...given, name: 'Ann', phone: '1' })),
    },
  },
  {
    model: 'appointment',
    action: 'createMany',
    args: {
      data: value.populatedAppointments.map((id, nr) => ({
        id,
        patientId: value.patientIds[nr % 3],
        practitioner: 'Dr A',
        startsAt: new Date(Date.UTC(2026, 0, 5, 2 * nr)),
        endsAt: new Date(Date.UTC(2026, 0, 5, 2 * nr + 1)),
      })),
    },
  },
];
