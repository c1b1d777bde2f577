import fc from 'fast-check';
import type { ModelName } from './steps';
import * as value from './values';

/* Which rows of a model a write may name, and what it may put into them. */

export type Args = Record<string, unknown>;
export type Arb = fc.Arbitrary<Args>;

export const optional = (shape: Record<string, fc.Arbitrary<unknown>>, requiredKeys: string[] = []): Arb =>
  fc.record(shape, { requiredKeys });

export const merged = (...parts: Arb[]): Arb =>
  fc.tuple(...parts).map((all) => Object.assign({}, ...all) as Args);

export const nothing: Arb = fc.constant({});

/** The value itself, or `{ set: value }`. */
const settable = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { arbitrary, weight: 5 },
    { arbitrary: arbitrary.map((set) => ({ set })), weight: 1 },
    { arbitrary: fc.constant(undefined), weight: 1 },
  );

const patientFields = { phone: value.phone, dateOfBirth: value.day, clinicalNotes: value.notes };
const newPatient: Arb = optional(
  { id: value.newPatientId, name: value.text, email: value.newEmail, ...patientFields },
  ['name', 'email'],
);
const patientChange = {
  name: settable(value.text),
  email: settable(value.newEmail),
  phone: settable(value.phone),
  dateOfBirth: settable(value.day),
  clinicalNotes: settable(value.notes),
};

const times: Arb = fc.oneof(
  { arbitrary: value.period, weight: 9 },
  { arbitrary: fc.record({ startsAt: value.instant, endsAt: value.instant }), weight: 1 },
);
const details = { practitioner: value.practitioner, status: value.status, reason: value.notes };
const ownPatient: Arb = value.patientId.map((patientId) => ({ patientId }));
const connected: Arb = fc
  .oneof(
    value.patientId.map((id): Args => ({ id })),
    value.email.map((email): Args => ({ email })),
  )
  .map((connect) => ({ patient: { connect } }));
const booking = (owner: Arb): Arb =>
  merged(optional({ id: value.newAppointmentId, ...details }, ['practitioner']), times, owner);
const moved = optional({
  practitioner: settable(value.practitioner),
  status: settable(value.status),
  reason: settable(value.notes),
});
const newTimes = fc.oneof({ arbitrary: nothing, weight: 1 }, { arbitrary: value.period, weight: 1 });
const oneTime = fc.oneof(
  { arbitrary: newTimes, weight: 4 },
  { arbitrary: optional({ startsAt: value.instant, endsAt: value.instant }), weight: 1 },
);
const newOwner = fc.oneof(
  { arbitrary: nothing, weight: 6 },
  { arbitrary: ownPatient, weight: 1 },
  { arbitrary: connected, weight: 1 },
);

export interface Model {
  readonly name: ModelName;
  readonly id: fc.Arbitrary<string>;
  /** Mostly of no row. */
  readonly newId: fc.Arbitrary<string>;
  readonly created: Arb;
  readonly createdInBulk: Arb;
  /**
   * Of an upsert: nothing that Postgres refuses by itself (a NUL, an end before its start). Plain Prisma may send it
   * with INSERT … ON CONFLICT and fail although the row is there and would only be updated; the middleware updates it.
   */
  readonly createdByUpsert: Arb;
  /** The change of one row, maybe with a new key. */
  readonly changed: Arb;
  readonly changedInBulk: Arb;
  readonly unique: Arb;
  /**
   * A unique field and nothing else, for upserts: with a further condition plain Prisma's INSERT … ON CONFLICT gives
   * null when the row is there and the condition is false, where the middleware says P2002.
   */
  readonly identity: Arb;
  readonly filter: Arb;
}

const byId = (id: fc.Arbitrary<string>): Arb => id.map((each) => ({ id: each }));
const among = (id: fc.Arbitrary<string>): Arb =>
  fc.uniqueArray(id, { maxLength: 3 }).map((some) => ({ id: { in: some } }));

const seldomNewKey = (id: fc.Arbitrary<string>): Arb =>
  fc.oneof({ arbitrary: nothing, weight: 4 }, { arbitrary: byId(id), weight: 1 });

/** Nested writes of both directions; the databases' own cascades are not in the shipped schema. */
function nestedAppointments(): Arb {
  const create = booking(nothing);
  const bookings = fc.array(create, { minLength: 1, maxLength: 2 });
  const where = byId(value.appointmentId);
  const data = merged(moved, newTimes);
  return fc
    .oneof(
      bookings.map((all): Args => ({ create: all })),
      merged(
        bookings.map((all): Args => ({ data: all })),
        optional({ skipDuplicates: fc.boolean() }),
      ).map((createMany): Args => ({ createMany })),
      where.map((connect): Args => ({ connect })),
      fc.record({ where, data }).map((update): Args => ({ update })),
      fc.record({ where, create, update: data }).map((upsert): Args => ({ upsert })),
      fc.record({ where: nothing, data: moved }).map((updateMany): Args => ({ updateMany })),
      fc.record({ where, create }).map((connectOrCreate): Args => ({ connectOrCreate })),
      where.map((deleted): Args => ({ delete: deleted })),
      fc.constant<Args>({ deleteMany: {} }),
    )
    .map((appointments) => ({ appointments }));
}
/**
 * A new key of the patient reaches the appointments before the same write deletes them. The triggers tell of a row as it
 * was when it was deleted, the middleware, to which one write is one change, as it was before the write.
 */
function keepKeyOfDeleted(changed: Args): Args {
  const { appointments = {} } = changed as { appointments?: object };
  if (!('delete' in appointments) && !('deleteMany' in appointments)) return changed;
  return { ...changed, id: undefined };
}
/** Below a row that comes into being. */
const newAppointments: Arb = fc
  .oneof(
    booking(nothing).map((create): Args => ({ create })),
    byId(value.appointmentId).map((connect): Args => ({ connect })),
  )
  .map((appointments) => ({ appointments }));
const seldom = (arbitrary: Arb): Arb => fc.oneof({ arbitrary: nothing, weight: 2 }, { arbitrary, weight: 1 });
const uniquePatient = fc.oneof(
  byId(value.patientId),
  value.email.map((email): Args => ({ email })),
);
const createdPatient = fc.oneof(
  newPatient.map((create): Args => ({ create })),
  fc.record({ where: uniquePatient, create: newPatient }).map((found): Args => ({ connectOrCreate: found })),
);
const ownedBy = (arbitrary: Arb): Arb => arbitrary.map((patient) => ({ patient }));
const nestedPatient = ownedBy(
  fc.oneof(
    createdPatient,
    optional(patientChange).map((update): Args => ({ update })),
    fc
      .record({ where: optional({ name: value.name }), data: optional(patientChange) })
      .map((update): Args => ({ update })),
    fc.record({ create: newPatient, update: optional(patientChange) }).map((upsert): Args => ({ upsert })),
  ),
);

export const patient: Model = {
  name: 'patient',
  id: value.patientId,
  newId: value.newPatientId,
  created: merged(newPatient, seldom(newAppointments)),
  createdInBulk: newPatient,
  createdByUpsert: newPatient.filter(({ name }) => !String(name).includes('\0')),
  changed: merged(
    optional(patientChange),
    seldomNewKey(value.newPatientId),
    seldom(nestedAppointments()),
  ).map(keepKeyOfDeleted),
  // An address for all of them is refused as soon as there are two.
  changedInBulk: fc.oneof(
    { arbitrary: optional({ ...patientChange, email: fc.constant(undefined) }), weight: 8 },
    { arbitrary: optional(patientChange), weight: 1 },
  ),
  unique: fc.oneof(
    { arbitrary: byId(value.patientId), weight: 6 },
    { arbitrary: value.email.map((email): Args => ({ email })), weight: 4 },
    { arbitrary: fc.record({ id: value.patientId, name: value.name }), weight: 1 },
  ),
  identity: fc.oneof(
    byId(value.patientId),
    value.email.map((email): Args => ({ email })),
  ),
  filter: fc.oneof(
    nothing,
    among(value.patientId),
    value.name.map((name): Args => ({ name })),
    value.phone.map((phone): Args => ({ phone })),
    value.email.map((email): Args => ({ OR: [{ email }, { name: { contains: 'nn' } }] })),
    value.status.map((status): Args => ({ appointments: { some: { status } } })),
    fc.constant<Args>({ NOT: { appointments: { some: {} } } }),
  ),
};

export const appointment: Model = {
  name: 'appointment',
  id: value.appointmentId,
  newId: value.newAppointmentId,
  created: booking(fc.oneof(ownPatient, connected, ownedBy(createdPatient))),
  createdInBulk: booking(ownPatient),
  createdByUpsert: booking(fc.oneof(ownPatient, connected)).filter(
    ({ startsAt, endsAt }) => Number(startsAt) < Number(endsAt),
  ),
  changed: merged(moved, oneTime, newOwner, seldomNewKey(value.newAppointmentId), seldom(nestedPatient)).map(
    // Prisma takes the foreign key or the relation, not both.
    ({ patientId, patient: relation, ...rest }) => ({
      ...rest,
      ...(relation ? { patient: relation } : patientId ? { patientId } : {}),
    }),
  ),
  changedInBulk: merged(moved, newTimes),
  unique: fc.oneof(
    { arbitrary: byId(value.appointmentId), weight: 9 },
    { arbitrary: fc.record({ id: value.appointmentId, status: value.status }), weight: 1 },
  ),
  identity: byId(value.appointmentId),
  filter: fc.oneof(
    nothing,
    among(value.appointmentId),
    ownPatient,
    value.status.map((status): Args => ({ status })),
    value.practitioner.map((practitioner): Args => ({ practitioner })),
    value.instant.map((gte): Args => ({ startsAt: { gte } })),
    value.name.map((name): Args => ({ patient: { name } })),
  ),
};
