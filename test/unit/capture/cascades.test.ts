import type { Aggregate } from '../../../src/events/aggregate';
import { appointment } from '../../../src/healthcore/events/appointment';
import { patient } from '../../../src/healthcore/events/patient';
import { CaptureError } from '../../../src/outbox/captureError';
import { type Cascades, needsTriggers, refuseCascades } from '../../../src/outbox/prisma/middleware/cascades';
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

/** An event reacts to the foreign key. */
const watching: ReadonlyMap<string, Aggregate> = new Map<string, Aggregate>([
  [
    'Appointment',
    {
      ...(appointment as Aggregate),
      events: { moved: { on: 'update', when: { changed: ['patientId'] }, carries: ['id'] } },
    },
  ],
]);

describe('cascades', () => {
  const read = (schema: string, of = captured): Cascades =>
    refuseCascades(of, readRelations(schema), { foreignKeys: true });
  const fields = (relations: readonly { model: string; field: string }[]): string[] =>
    relations.map(({ model, field }) => `${model}.${field}`);

  it.each([
    ['a brace in a default', 'note Json @default("{}")'],
    ['a block comment', '/* } */ note String /** model X { */'],
    ['a line comment', 'note String // } "'],
    ['an unsupported type', 'note Unsupported("a}b")?'],
  ])('are seen after %s', (_, line) => {
    const cascades = read(schemaWith(', onDelete: Cascade', `patientId String\n  ${line}`));
    expect(fields(cascades.of('Patient', 'gone'))).toEqual(['Appointment.patient']);
  });

  it('that delete captured rows, or change what an event reacts to, need triggers', () => {
    const deleting = read(schemaWith(', onDelete: Cascade'));
    expect(fields(deleting.all)).toEqual(['Appointment.patient']);
    expect(deleting.all.map(needsTriggers)).toEqual([
      'The relation Appointment.patient has "onDelete: Cascade": deleting a Patient changes rows of Appointment inside the database, where only triggers can tell their events',
    ]);
    for (const actions of [', onDelete: SetNull', '']) {
      const schema = schemaWith(actions, 'patientId String?');
      expect(read(schema).all).toEqual([]);
      expect(fields(read(schema, watching).of('Patient', 'gone'))).toEqual(['Appointment.patient']);
    }
  });

  it('of a new key matter where an event reacts to the foreign key', () => {
    const schema = schemaWith(', onDelete: Restrict');
    expect(read(schema).all).toEqual([]);
    expect(fields(read(schema, watching).of('Patient', new Set(['id'])))).toEqual(['Appointment.patient']);
    expect(read(schema, watching).of('Patient', new Set(['email']))).toEqual([]);
    expect(read(schemaWith(', onDelete: Restrict, onUpdate: Restrict'), watching).all).toEqual([]);
  });

  const chain = (back: string): string => `
model Region {
  id     Int    @id
  shops  Shop[]
  ${back}
}
model Shop {
  id       Int     @id
  region   Region  @relation(fields: [regionId], references: [id], onDelete: Cascade)
  regionId Int
  visits   Visit[]
  regions  Region[] @relation("back")
}
model Visit {
  id     Int  @id
  shop   Shop @relation(fields: [shopId], references: [id], onDelete: Cascade)
  shopId Int
}`;
  const named = (...models: string[]): ReadonlyMap<string, Aggregate> =>
    new Map(models.map((model) => [model, { ...patient, type: model, model }]));

  it('are followed through models without events', () => {
    const cascades = read(chain(''), named('Visit'));
    expect(fields(cascades.of('Region', 'gone'))).toEqual(['Visit.shop']);
  });

  it('that return to the table of the statement are refused: neither engine could tell them', () => {
    const back =
      'main Shop? @relation("back", fields: [mainId], references: [id], onDelete: Cascade)\n  mainId Int?';
    expect(() => read(chain(back), named('Region'))).toThrow(CaptureError);
    expect(() => read(chain(back), named('Region'))).toThrow(
      /^The relation Region.main has "onDelete: Cascade"/,
    );
    expect(() => read(chain(back), named('Visit'))).not.toThrow();
  });

  it('that Prisma carries out itself are refused: the middleware does not see its statements', () => {
    const refused = (schema: string) => (): unknown =>
      refuseCascades(captured, readRelations(schema), { foreignKeys: false });
    expect(refused(schemaWith(', onDelete: Cascade'))).toThrow(/relationMode = "prisma"/);
    expect(refused(schemaWith(', onDelete: Restrict'))).not.toThrow();
  });
});
