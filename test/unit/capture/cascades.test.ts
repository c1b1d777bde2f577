import type { Aggregate } from '../../../src/events/aggregate';
import { appointment } from '../../../src/healthcore/events/appointment';
import { patient } from '../../../src/healthcore/events/patient';
import { CaptureError } from '../../../src/outbox/captureError';
import { refuseCascades } from '../../../src/outbox/prisma/middleware/cascades';
import { readRelations } from '../../../src/outbox/prisma/schema/relations';

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

describe('cascades', () => {
  const check = (schema: string) => (): void => refuseCascades(captured, readRelations(schema));

  it.each([
    ['a brace in a default', 'note Json @default("{}")'],
    ['a block comment', '/* } */ note String /** model X { */'],
    ['a line comment', 'note String // } "'],
    ['an unsupported type', 'note Unsupported("a}b")?'],
  ])('are seen after %s', (_, line) => {
    expect(check(schemaWith(', onDelete: Cascade', `patientId String\n  ${line}`))).toThrow(
      /Appointment\.patient has "onDelete: Cascade"/,
    );
  });

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
