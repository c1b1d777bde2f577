import type { Aggregate } from '../../../src/events/aggregate';
import { restricted } from '../../../src/events/fields';
import type { Internals } from '../../../src/outbox/prisma/internals';
import { TriggersBeside } from '../../../src/outbox/prisma/middleware/triggersBeside';
import { readModels } from '../../../src/outbox/prisma/middleware/model';
import { readGraph } from '../../../src/outbox/prisma/middleware/nested/graph';
import { type NestedPlan, planNested } from '../../../src/outbox/prisma/middleware/nested/plan';
import type { Position } from '../../../src/outbox/prisma/middleware/nested/position';
import { UncapturedWrites } from '../../../src/outbox/prisma/middleware/uncapturedWrites';
import { readRelations } from '../../../src/outbox/prisma/schema/relations';

/* Clinic ‹ Patient ‹ Appointment › Doctor (optional); and relations that can't be followed. */
const schema = `
model Clinic {
  id       Int       @id
  patients Patient[]
}
model Patient {
  id           String        @id
  email        String        @unique
  clinicId     Int?
  clinic       Clinic?       @relation(fields: [clinicId], references: [id])
  guideId      String        @default("g")
  guide        Guide         @relation(fields: [guideId], references: [id])
  appointments Appointment[]
  passport     Passport?
  tags         Tag[]
  desks        Desk[]
}
model Guide {
  id       String    @id
  patients Patient[]
}
model Doctor {
  id           String        @id
  appointments Appointment[]
}
model Appointment {
  id        String  @id
  patientId String
  patient   Patient @relation(fields: [patientId], references: [id])
  doctorId  String?
  doctor    Doctor? @relation(fields: [doctorId], references: [id])
}
model Passport {
  id       String  @id
  holderId String  @unique
  holder   Patient @relation(fields: [holderId], references: [id])
}
model Tag {
  id       String    @id
  patients Patient[]
}
model Desk {
  floor    Int
  nr       Int
  at       String
  patient  Patient @relation(fields: [at], references: [id])
  visitors Visitor[]

  @@id([floor, nr])
}
model Visitor {
  id    String @id
  floor Int
  nr    Int
  desk  Desk   @relation(fields: [floor, nr], references: [floor, nr])
}
`;

const models = [...schema.matchAll(/model (\w+) \{([^}]*)\}/g)].map(([, name = '', body = '']) => {
  const fields = [...body.matchAll(/^ {2}(\w+) +(\w+)/gm)].map(([, field = '', type = '']) => ({
    name: field,
    type,
    kind: new RegExp(`model ${type} `).test(schema) ? 'object' : 'scalar',
  }));
  return [name, { fields }] as const;
});

function graphOf(names: string[], text = schema) {
  const internals = {
    models: Object.fromEntries(models),
    schema: text,
    defaultSchema: 'public',
    globalOmit: {},
  } as unknown as Internals;
  const aggregates = names.map((model): [string, Aggregate] => [
    model,
    { type: model, model, key: 'id', version: '1', fields: { id: restricted('id') }, events: {} },
  ]);
  return readGraph(readModels(new Map(aggregates), internals), readRelations(text), internals);
}

const all = graphOf(['Patient', 'Appointment', 'Doctor']);

const plan = (model: string, action: string, args: object, graph = all): NestedPlan | undefined =>
  planNested(graph, model, action, args as never);

/** Fields of the positions with `+` where rows may come to be, nested ones in brackets. */
const shape = (positions: readonly Position[]): string =>
  positions
    .map(({ link, grows, below }) => {
      const inner = below.length > 0 ? `(${shape(below)})` : '';
      return `${link.field}${grows ? '+' : ''}${inner}`;
    })
    .join(' ');

const changed = (model: string, data: object, graph = all): string =>
  shape(plan(model, 'update', { data }, graph)?.changed ?? []);
const fresh = (model: string, data: object, graph = all): string =>
  shape(plan(model, 'create', { data }, graph)?.fresh ?? []);

describe('the plan of a write', () => {
  it('is none without nested writes that matter to captured rows', () => {
    const named = { id: 'a' };
    expect(plan('Patient', 'update', { data: { email: 'e' } })).toBeUndefined();
    expect(plan('Appointment', 'create', { data: { patient: { connect: named } } })).toBeUndefined();
    expect(plan('Appointment', 'update', { data: { doctor: { disconnect: true } } })).toBeUndefined();
    expect(plan('Patient', 'update', { data: { clinic: { create: { id: 1 } } } })).toBeUndefined();
    expect(plan('Patient', 'update', { data: { tags: { connect: named, set: [] } } })).toBeUndefined();
    expect(plan('Patient', 'update', { data: { tags: { create: named } } })).toBeUndefined();
    expect(plan('Patient', 'create', { data: { appointments: { create: undefined } } })).toBeUndefined();
    expect(plan('Patient', 'update', { data: { appointments: { connect: [] } } })).toBeUndefined();
    expect(plan('Patient', 'update', { data: { appointments: { deleteMany: [] } } })).toBeUndefined();
    const nowhere = { data: { holder: { create: { appointments: { create: [{}] } } } } };
    expect(plan('Passport', 'create', nowhere, graphOf(['Clinic']))).toBeUndefined();
  });

  it('has a position for each relation field, with all that is said there, at any depth', () => {
    expect(changed('Patient', { appointments: { set: [] } })).toBe('appointments');
    expect(changed('Patient', { appointments: { deleteMany: {}, create: [{}, {}] } })).toBe('appointments+');
    const create = [{ doctor: { create: {} } }, { doctor: { connect: { id: 'd' } } }];
    expect(fresh('Patient', { appointments: { create } })).toBe('appointments+(doctor+)');
    const update = { where: { id: 'a' }, data: { doctor: { update: { id: 'new' } } } };
    expect(changed('Patient', { appointments: { update } })).toBe('appointments(doctor+)');
    const wrapped = { update: { where: { id: 'x' }, data: { appointments: { create: {} } } } };
    expect(changed('Appointment', { doctor: wrapped })).toBe('doctor(appointments+)');
  });

  it('leads to captured rows through models that are not captured', () => {
    const patients = { update: { where: { id: 'p' }, data: { appointments: { create: {} } } } };
    expect(changed('Clinic', { patients }, graphOf(['Appointment']))).toBe('patients(appointments+)');
    expect(fresh('Clinic', { patients: { create: { id: 'p' } } })).toBe('patients+');
  });

  it('has both halves of an upsert', () => {
    const create = { appointments: { create: {} } };
    const update = { appointments: { delete: { id: 'a' } } };
    const both = plan('Patient', 'upsert', { create, update });
    expect([shape(both?.fresh ?? []), shape(both?.changed ?? [])]).toEqual(['appointments+', 'appointments']);
  });
});

describe('a nested write is refused', () => {
  const refused = (model: string, data: object, graph = all) => {
    try {
      plan(model, 'update', { where: {}, data }, graph);
    } catch (error) {
      return String(error);
    }
    return 'It was not refused';
  };

  it('across relations that can’t be followed, naming path, reason and the way out', () => {
    expect(refused('Tag', { patients: { create: {} } })).toMatch(
      /CaptureError: The nested write "Tag\.update, patients\.create" changes rows of Patient, .*many to many.*\$transaction\(async \(tx\)/,
    );
    expect(refused('Passport', { holder: { update: { email: 'x' } } })).toMatch(
      /not a relation of many to one/,
    );
    const deep = { passport: { upsert: { create: {}, update: { holder: { update: { email: 'x' } } } } } };
    expect(refused('Patient', deep)).toContain('"Patient.update, passport.upsert, holder.update"');
    expect(refused('Passport', { holder: { connect: { id: 'a' } } }, graphOf(['Passport']))).toMatch(
      /Passport/,
    );
    const desk = { desks: { update: { where: {}, data: { patient: { update: {} } } } } };
    expect(refused('Patient', desk)).toMatch(/Desk has no single field/);
    expect(refused('Desk', { visitors: { deleteMany: {} } }, graphOf(['Visitor']))).toMatch(/several fields/);
    const prisma = graphOf(['Appointment'], `datasource db {\n  relationMode = "prisma"\n}\n${schema}`);
    expect(refused('Patient', { appointments: { deleteMany: {} } }, prisma)).toMatch(/relationMode/);
  });

  it('that may cut off what it creates', () => {
    const create = { id: 'new' };
    const doctor = { doctor: { create } };
    const each = (id: string, data: object) => ({ where: { id }, data });
    expect(refused('Doctor', { appointments: { create, set: [] } })).toMatch(
      /"Doctor.update, appointments.set"/,
    );
    expect(refused('Doctor', { appointments: { create, disconnect: { id: 'a' } } })).toMatch(
      /cut the new row off/,
    );
    expect(refused('Patient', { appointments: { create, set: [] } })).toBe('It was not refused');
    const twice = { update: [each('a', doctor), each('a', doctor)] };
    expect(refused('Patient', { appointments: twice })).toMatch(/cut the new row off/);
    const two = { update: [each('a', doctor), each('b', doctor)] };
    expect(refused('Patient', { appointments: two })).toBe('It was not refused');
    const swept = { update: each('a', doctor), deleteMany: {} };
    expect(refused('Patient', { appointments: swept })).toMatch(/"Patient.update, appointments.deleteMany"/);
    const newAndSwept = { create: doctor, updateMany: each('a', { doctorId: 'x' }) };
    expect(refused('Patient', { appointments: newAndSwept })).toMatch(/cut the new row off/);
    expect(refused('Appointment', { doctor: { create, connect: create } })).toMatch(
      /several operations at once/,
    );
    const below = each('d', { patient: { update: { appointments: { create } } } });
    const moved = { update: [below, each('e', { patientId: 'p' })] };
    expect(refused('Doctor', { appointments: moved })).toMatch(/"Doctor.update, appointments.update"/);
    const kept = { update: [below, each('e', { id: 'f' })], delete: { id: 'g' } };
    expect(refused('Doctor', { appointments: kept })).toBe('It was not refused');
  });

  it('that looks for a row under a key that it gives to one', () => {
    const update = { where: { id: 'a' }, data: { id: 'b' } };
    expect(refused('Patient', { appointments: { update, connect: { id: 'b' } } })).toMatch(
      /"Patient.update, appointments.connect" .* gives a row the key that it looks for/,
    );
    expect(refused('Patient', { appointments: { update, connect: { id: 'c' } } })).toBe('It was not refused');
  });

  it('that creates a target beside a row whose target is a default', () => {
    const guides = graphOf(['Patient', 'Guide']);
    const create = [{ id: 'a', guide: { create: { id: 'h' } } }, { id: 'b' }];
    expect(refused('Clinic', { patients: { create } }, guides)).toMatch(/has a default/);
    expect(refused('Clinic', { patients: { create: create[0] } }, guides)).toBe('It was not refused');
  });
});

describe('a write past capture', () => {
  const captured = new Map([...all.models].filter(([name]) => all.isCaptured(name)));
  const writes = new UncapturedWrites(captured, all, new TriggersBeside({} as Internals, []), 'test');
  const concerns = (model: string | undefined, action: string, args: unknown): boolean =>
    writes.concerns({ model, action, args, clientMethod: action, dataPath: [] });

  it('is one for the triggers when it reaches rows of captured models, though the middleware would refuse it', () => {
    expect(concerns('Patient', 'deleteMany', undefined)).toBe(true);
    expect(concerns('Clinic', 'update', { data: { patients: { deleteMany: {} } } })).toBe(true);
    expect(concerns('Tag', 'update', { data: { patients: { create: {} } } })).toBe(true);
    expect(concerns(undefined, 'executeRaw', ['DELETE FROM "Patient"'])).toBe(true);
  });

  it('is none when it reaches others alone, or only reads', () => {
    expect(concerns('Clinic', 'update', { data: { id: 2 } })).toBe(false);
    expect(concerns('Clinic', 'findMany', {})).toBe(false);
    expect(concerns('Patient', 'findMany', {})).toBe(false);
    expect(concerns(undefined, 'queryRaw', ['SELECT * FROM "Patient"'])).toBe(false);
  });
});
