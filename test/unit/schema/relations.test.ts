import { hasForeignKeys, readRelations } from '../../../src/outbox/prisma/schema/relations';

const holder = (relation: string, keys: string, other = 'things Thing[]'): string => `
model Owner {
  a Int
  b Int
  ${other}

  @@id([a, b])
}

model Thing {
  id Int @id
  ${keys}
  ${relation}
}
`;

describe('relations of a schema', () => {
  it('are read with who holds the key and what the database does, defaults included', () => {
    const keys = 'ownerA Int @default(1)\n  ownerB Int';
    expect(
      readRelations(holder('owner Owner @relation(fields: [ownerA, ownerB], references: [a, b])', keys)),
    ).toEqual([
      {
        model: 'Thing',
        field: 'owner',
        keys: ['ownerA', 'ownerB'],
        target: 'Owner',
        references: ['a', 'b'],
        inverse: 'things',
        optional: false,
        defaulted: true,
        onDelete: 'Restrict',
        onUpdate: 'Cascade',
        manyToOne: true,
      },
    ]);
  });

  it.each([
    ['SetNull', 'ownerA Int?\n  ownerB Int?'],
    ['Restrict', 'ownerA Int?\n  ownerB Int'],
  ])('of optional fields have the action %s where every key can be null, or one cannot', (action, keys) => {
    const field = 'owner Owner? @relation(fields: [ownerA, ownerB], references: [a, b])';
    expect(readRelations(holder(field, keys))[0]?.onDelete).toBe(action);
  });

  it('find their other end by its name, also where one has the name that Prisma gives', () => {
    const other = 'other Thing? @relation("x")\n  things Thing[] @relation(name: "OwnerToThing")';
    const keys = 'ownerA Int\n  ownerB Int';
    const field = 'owner Owner @relation(fields: [ownerA, ownerB], references: [a, b])';
    expect(readRelations(holder(field, keys, other))[0]).toMatchObject({
      inverse: 'things',
      manyToOne: true,
    });
  });

  it('of views have no foreign key', () => {
    const view = holder('owner Owner @relation(fields: [ownerA, ownerB], references: [a, b])', 'ownerA Int');
    expect(readRelations(view.replace('model Thing', 'view Thing'))).toEqual([]);
  });

  it('are guarded by the database unless the data source says otherwise', () => {
    const source = (line: string): string => `datasource db {\n  provider = "postgresql"\n  ${line}\n}\n`;
    expect(hasForeignKeys(source('relationMode = "prisma"'))).toBe(false);
    expect(hasForeignKeys(source('// relationMode = "prisma"'))).toBe(true);
    expect(hasForeignKeys(source('relationMode = "foreignKeys" /* relationMode = "prisma" */'))).toBe(true);
  });
});
