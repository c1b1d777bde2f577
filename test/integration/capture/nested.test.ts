import { openSubject, type EngineName, type Subject } from '../differential/databases';

/*
 * Each nested operation with both engines: the same change means the same events. What only the middleware can get
 * wrong is in nestedDeep.test.ts and nestedTransactions.test.ts.
 */

const group = (digit: number) => (nr: number) => `00000000-0000-7000-${digit}000-00000000000${nr}`;
const patient = group(8);
const visit = group(9);

const hour = (nr: number): Date => new Date(Date.UTC(2030, 0, 1, nr));

/** The data of an appointment of its own hour. */
const slot = (nr: number) => ({
  id: visit(nr),
  practitioner: 'Dr A',
  startsAt: hour(nr),
  endsAt: hour(nr + 1),
});
const person = (nr: number) => ({ id: patient(nr), name: `name ${nr}`, email: `${nr}@x.test` });

interface Case {
  readonly model: 'patient' | 'appointment';
  readonly action: 'create' | 'update' | 'upsert';
  readonly args: Readonly<Record<string, unknown>>;
  /** Types of events with the last digits of their aggregates' ids; patients have 80…, appointments 90…. */
  readonly events: readonly string[];
}

/** Patients 1 and 2; appointments 1 and 2 of patient 1, appointment 3 of patient 2. */
async function populate(subject: Subject): Promise<void> {
  const { client } = subject;
  await client.patient['createMany']?.({ data: [person(1), person(2)] });
  const owners = [1, 1, 2].map((owner, nr) => ({ ...slot(nr + 1), patientId: patient(owner) }));
  await client.appointment['createMany']?.({ data: owners });
  await subject.look();
}

const ofPatient = (appointments: object, scalars: object = {}): Pick<Case, 'model' | 'action' | 'args'> => ({
  model: 'patient',
  action: 'update',
  args: { where: { id: patient(1) }, data: { ...scalars, appointments } },
});
const ofVisit = (owner: object, scalars: object = {}): Pick<Case, 'model' | 'action' | 'args'> => ({
  model: 'appointment',
  action: 'update',
  args: { where: { id: visit(1) }, data: { ...scalars, patient: owner } },
});
const named = (nr: number) => ({ id: visit(nr) });
const cancelled = { status: 'CANCELLED' };

const cases: Readonly<Record<string, Case>> = {
  'create below a new row': {
    model: 'patient',
    action: 'create',
    args: { data: { ...person(3), appointments: { create: [slot(4), slot(5)] } } },
    events: ['appointment.booked 904', 'appointment.booked 905', 'patient.created 803'],
  },
  'create below a row': {
    ...ofPatient({ create: slot(4) }),
    events: ['appointment.booked 904'],
  },
  'create above a new row': {
    model: 'appointment',
    action: 'create',
    args: { data: { ...slot(4), patient: { create: person(3) } } },
    events: ['appointment.booked 904', 'patient.created 803'],
  },
  'create above a row': {
    ...ofVisit({ create: person(3) }, cancelled),
    events: ['appointment.cancelled 901', 'patient.created 803'],
  },
  createMany: {
    ...ofPatient({ createMany: { data: [slot(4), slot(5)] } }, { name: 'new' }),
    events: ['appointment.booked 904', 'appointment.booked 905', 'patient.updated 801'],
  },
  'createMany that skips duplicates': {
    ...ofPatient({ createMany: { data: [slot(1), slot(3), slot(4)], skipDuplicates: true } }),
    events: ['appointment.booked 904'],
  },
  'connect of rows that have another parent': {
    ...ofPatient({ connect: [named(3), named(1)] }, { name: 'new' }),
    events: ['patient.updated 801'],
  },
  'connect beside a create': {
    ...ofPatient({ connect: named(3), create: slot(4) }),
    events: ['appointment.booked 904'],
  },
  'connectOrCreate that connects': {
    ...ofPatient({ connectOrCreate: { where: named(3), create: slot(3) } }),
    events: [],
  },
  'connectOrCreate that creates': {
    ...ofPatient({ connectOrCreate: { where: named(4), create: slot(4) } }),
    events: ['appointment.booked 904'],
  },
  'connectOrCreate that connects what it has created': {
    ...ofPatient({ connectOrCreate: [slot(4), slot(4)].map((create) => ({ where: named(4), create })) }),
    events: ['appointment.booked 904'],
  },
  'connectOrCreate above a row, by another unique field': {
    ...ofVisit({ connectOrCreate: { where: { email: '2@x.test' }, create: person(3) } }),
    events: [],
  },
  'connectOrCreate above a row that creates': {
    ...ofVisit({ connectOrCreate: { where: { email: '3@x.test' }, create: person(3) } }),
    events: ['patient.created 803'],
  },
  update: {
    ...ofPatient({ update: [{ where: named(1), data: cancelled }] }),
    events: ['appointment.cancelled 901'],
  },
  'update that changes nothing': {
    ...ofPatient({ update: { where: named(1), data: { status: 'BOOKED', practitioner: 'Dr A' } } }),
    events: [],
  },
  'update with a key': {
    ...ofPatient({ update: { where: named(1), data: { id: visit(4) } } }),
    events: ['appointment.booked 904', 'appointment.deleted 901'],
  },
  'update above a row': {
    ...ofVisit({ update: { name: 'new' } }),
    events: ['patient.updated 801'],
  },
  'update above a row, with a filter': {
    ...ofVisit({ update: { where: { name: 'name 1' }, data: { phone: '1', id: patient(3) } } }),
    events: ['patient.created 803', 'patient.deleted 801'],
  },
  updateMany: {
    ...ofPatient({ updateMany: { where: { status: 'BOOKED' }, data: cancelled } }),
    events: ['appointment.cancelled 901', 'appointment.cancelled 902'],
  },
  'upsert that updates': {
    ...ofPatient({ upsert: { where: named(1), create: slot(4), update: cancelled } }),
    events: ['appointment.cancelled 901'],
  },
  'upsert that creates': {
    ...ofPatient({ upsert: { where: named(4), create: slot(4), update: cancelled } }),
    events: ['appointment.booked 904'],
  },
  'upsert above a row': {
    ...ofVisit({ upsert: { create: person(3), update: { phone: '1' } } }),
    events: ['patient.updated 801'],
  },
  delete: {
    ...ofPatient({ delete: [named(1), named(2)] }, { name: 'new' }),
    events: ['appointment.deleted 901', 'appointment.deleted 902', 'patient.updated 801'],
  },
  deleteMany: {
    ...ofPatient({ deleteMany: [{ startsAt: hour(1) }, { startsAt: hour(3) }] }),
    events: ['appointment.deleted 901'],
  },
  'set to the rows that are linked, and one more': {
    ...ofPatient({ set: [named(1), named(2), named(3)] }, { phone: '1' }),
    events: ['patient.updated 801'],
  },
  'connect and set of what is created beside them': {
    ...ofPatient({ create: slot(4), connect: named(4), set: [named(1), named(2), named(4)] }),
    events: ['appointment.booked 904'],
  },
  'several operations at once': {
    ...ofPatient({
      create: slot(4),
      update: { where: named(1), data: cancelled },
      delete: named(2),
      updateMany: { where: { status: 'CANCELLED' }, data: { startsAt: hour(0) } },
    }),
    events: ['appointment.booked 904', 'appointment.cancelled 901', 'appointment.deleted 902'].concat(
      'appointment.rescheduled 901',
    ),
  },
  'a new key at the top with rows below it': {
    ...ofPatient({ create: slot(4), update: { where: named(1), data: cancelled } }, { id: patient(3) }),
    events: [
      'appointment.booked 904',
      'appointment.cancelled 901',
      'patient.created 803',
      'patient.deleted 801',
    ],
  },
  'an upsert with nested writes in both halves that creates': {
    model: 'patient',
    action: 'upsert',
    args: {
      where: { email: '3@x.test' },
      create: { ...person(3), appointments: { create: slot(4), connect: named(3) } },
      update: { appointments: { deleteMany: {} } },
    },
    events: ['appointment.booked 904', 'patient.created 803'],
  },
  'an upsert with nested writes in both halves that updates': {
    model: 'patient',
    action: 'upsert',
    args: {
      where: { email: '1@x.test' },
      create: { ...person(3), appointments: { create: slot(4) } },
      update: { appointments: { deleteMany: {} } },
    },
    events: ['appointment.deleted 901', 'appointment.deleted 902'],
  },
  'a row that is not there': {
    model: 'appointment',
    action: 'update',
    args: { where: named(9), data: { patient: { create: person(3) } } },
    events: [],
  },
  'a row to link that is not there': { ...ofPatient({ connect: named(9) }, { name: 'new' }), events: [] },
  'a row to delete that is somebody else’s': {
    ...ofPatient({ delete: named(3) }, { name: 'new' }),
    events: [],
  },
  'a link that must not be cut': { ...ofPatient({ disconnect: named(1), create: slot(4) }), events: [] },
  'a constraint that the last of several rows breaks': {
    ...ofPatient({ create: [slot(4), slot(3)] }),
    events: [],
  },
};

describe.each<EngineName>(['middleware', 'trigger'])('nested writes with the engine %s:', (engine) => {
  let plain: Subject;
  let subject: Subject;

  beforeAll(async () => {
    [plain, subject] = await Promise.all([openSubject('plain'), openSubject(engine)]);
  });
  beforeEach(async () => {
    for (const each of [plain, subject]) {
      await each.clear();
      await populate(each);
    }
  });
  afterAll(async () => {
    await Promise.all([plain.close(), subject.close()]);
  });

  const callers: readonly [string, (each: Subject, { model, action, args }: Case) => Promise<unknown>][] = [
    ['', async ({ client }, { model, action, args }) => client[model][action]?.(args)],
    [
      'in a transaction, ',
      async ({ client }, { model, action, args }) =>
        client.$transaction(async (tx: Subject['client']) => tx[model][action]?.(args)),
    ],
    [
      'in a batch, ',
      async ({ client }, { model, action, args }) => client.$transaction([client[model][action]?.(args)]),
    ],
  ];

  describe.each(callers)('%s', (_, call) => {
    it.each(Object.entries(cases))('%s', async (_, each) => {
      const [expected, seen] = [await settled(call(plain, each)), await settled(call(subject, each))];
      expect(seen).toEqual(expected);
      const { patients, appointments } = await plain.look();
      const found = await subject.look();
      expect(found).toMatchObject({ patients, appointments });
      const events = found.events.map(
        (event) => `${event.event_type} ${event.aggregate_id[19]}0${event.aggregate_id.at(-1)}`,
      );
      expect(events.sort()).toEqual([...each.events].sort());
    });
  });
});

/** What the caller saw, without clocks. */
async function settled(call: Promise<unknown>): Promise<unknown> {
  try {
    return JSON.parse(
      JSON.stringify(await call, (name, value: unknown) =>
        name === 'updatedAt' || name === 'createdAt' ? 0 : value,
      ),
    );
  } catch (error) {
    const { name, message, code } = error as Error & { code?: string };
    return { name, code, sentence: message.trim().split('\n').at(-1) };
  }
}
