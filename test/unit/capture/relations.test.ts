import type { Aggregate } from '../../../src/events/aggregate';
import { appointment } from '../../../src/events/appointment';
import { patient } from '../../../src/events/patient';
import { CaptureError } from '../../../src/outbox/capture/captureError';
import { refuseCascades } from '../../../src/outbox/capture/cascades';
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
      references: ['id'],
      inverse: 'appointments',
      optional: false,
      defaulted: false,
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
