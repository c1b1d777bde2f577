import type { Aggregate } from '../../../src/events/aggregate';
import { appointment } from '../../../src/events/appointment';
import { patient } from '../../../src/events/patient';
import { CaptureError } from '../../../src/outbox/capture/captureError';
import { refuseCascades } from '../../../src/outbox/capture/cascades';
import { type RelationGraph, refuseNestedWrites } from '../../../src/outbox/capture/nestedWrites';
import { readRelations, readUniqueFields } from '../../../src/outbox/capture/relations';

const schemaWith = (actions: string, key = 'patientId String'): string => `
model Patient {
  id           String        @id
  email        String        @unique
  first        String
  last         String
  appointments Appointment[] // of the patient }
  passport     Passport?

  @@unique([first, last(sort: Desc)])
}

model Appointment {
  id        String @id
  ${key}
  patient   Patient${key.includes('?') ? '?' : ''} @relation(fields: [patientId], references: [id]${actions})
}

model Passport {
  id       String  @id @default("a // b")
  holderId String  @unique
  holder   Patient @relation("passport", fields: [holderId],
    references: [id], onDelete: NoAction)
}
`;

const captured: ReadonlyMap<string, Aggregate> = new Map<string, Aggregate>([
  ['Patient', patient],
  ['Appointment', appointment],
]);

describe('relations of a schema', () => {
  it('are read with who holds the key and what the database does, defaults included', () => {
    const [booked, passport] = readRelations(schemaWith(', onDelete: Cascade'));
    expect(booked).toEqual({
      model: 'Appointment',
      field: 'patient',
      keys: ['patientId'],
      target: 'Patient',
      onDelete: 'Cascade',
      onUpdate: 'Cascade',
      manyToOne: true,
    });
    expect(passport).toMatchObject({
      model: 'Passport',
      keys: ['holderId'],
      onDelete: 'NoAction',
      manyToOne: false,
    });
    expect(readRelations(schemaWith(''))[0]?.onDelete).toBe('Restrict');
    expect(readRelations(schemaWith('', 'patientId String?'))[0]?.onDelete).toBe('SetNull');
  });

  it('and its unique fields are found, alone and together', () => {
    expect([...readUniqueFields(schemaWith(''), 'Patient')].sort()).toEqual(['email', 'first', 'id', 'last']);
  });
});

describe('cascades', () => {
  const check = (schema: string) => (): void => refuseCascades(captured, readRelations(schema));

  it('that delete or change captured rows inside the database are refused, with the remedy', () => {
    expect(check(schemaWith(', onDelete: Cascade'))).toThrow(CaptureError);
    expect(check(schemaWith(', onDelete: Cascade'))).toThrow(
      /Appointment\.patient has "onDelete: Cascade".*Set "onDelete: Restrict"/,
    );
    expect(check(schemaWith(', onDelete: SetNull', 'patientId String?'))).toThrow(
      /changes rows of Appointment/,
    );
    expect(check(schemaWith('', 'patientId String?'))).toThrow(/"onDelete: SetNull"/);
  });

  it('of a key to which no event reacts are harmless', () => {
    expect(check(schemaWith(', onDelete: Restrict, onUpdate: Cascade'))).not.toThrow();
  });

  it('of a key to which an event reacts are refused', () => {
    const watching = {
      ...appointment,
      events: { moved: { on: 'update', when: { changed: ['patientId'] }, carries: ['id'] } },
    };
    const withWatcher = new Map([['Appointment', watching]]);
    const schema = schemaWith(', onDelete: Restrict');
    expect(() => refuseCascades(withWatcher as never, readRelations(schema))).toThrow(
      /"onUpdate: Cascade" and an event reacts to patientId/,
    );
    const restricted = schemaWith(', onDelete: Restrict, onUpdate: Restrict');
    expect(() => refuseCascades(withWatcher as never, readRelations(restricted))).not.toThrow();
  });
});

describe('nested writes', () => {
  const object = (name: string, type: string) => ({ name, kind: 'object', type });
  const graph = (names: string[]): RelationGraph => ({
    captured: new Map(names.map((name) => [name, patient])),
    models: {
      Patient: { fields: [object('appointments', 'Appointment'), object('passport', 'Passport')] },
      Appointment: { fields: [object('patient', 'Patient')] },
      Passport: { fields: [object('holder', 'Patient')] },
    },
    relations: readRelations(schemaWith('')),
  });
  const check =
    (names: string[], model: string, args: object, action = 'create') =>
    (): void =>
      refuseNestedWrites(graph(names), model, action, args as never);

  it('may connect on the side that holds the key of a relation of many to one', () => {
    expect(
      check(['Appointment', 'Patient'], 'Appointment', { data: { patient: { connect: { id: 'a' } } } }),
    ).not.toThrow();
    expect(check(['Passport'], 'Passport', { data: { holder: { connect: { id: 'a' } } } })).toThrow(
      /Passport/,
    );
  });

  it('on other models pass, until they reach a captured one at any depth', () => {
    const deep = { data: { holder: { create: { appointments: { create: [{}] } } } } };
    expect(check([], 'Passport', deep)).not.toThrow();
    expect(check(['Appointment'], 'Passport', deep)).toThrow(
      /"Passport\.create, holder\.create, appointments\.create" changes rows of Appointment/,
    );
    const upsert = {
      create: {},
      update: { passport: { upsert: { create: {}, update: { holder: { update: { email: 'x' } } } } } },
    };
    expect(check(['Patient'], 'Patient', upsert, 'upsert')).toThrow(/passport\.upsert, holder\.update/);
    expect(
      check(['Appointment'], 'Patient', { data: { appointments: { disconnect: { id: 'a' } } } }, 'update'),
    ).toThrow(/Appointment/);
  });

  it('that say nothing are none', () => {
    expect(
      check(['Appointment'], 'Patient', {
        data: { appointments: { create: undefined }, passport: undefined },
      }),
    ).not.toThrow();
  });
});
