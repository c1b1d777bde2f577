import { readTables } from '../../../src/outbox/trigger/schema';

const schema = `
// model Commented { id String @id }
generator client {
  provider = "prisma-client"
}

enum Colour {
  RED   @map("red // not a comment")
  GREEN
  @@map("colour")
}

model Thing {
  id       String   @id @db.Uuid // the key
  // half String
  label    String?  @map(name: "the \\"label\\"") @db.VarChar(20)
  colour   Colour   @default(RED)
  code     Int      @unique
  tags     String[]
  ownerId  Int      @map("owner_id")
  owner    Owner    @relation(fields: [ownerId],
                              references: [id])
  geo      Unsupported("point")?

  @@map("things")
  @@schema("shop")
}

model Owner {
  tenant String
  id     Int   @map("owner_no")
  things Thing[]
  @@id([tenant, id(sort: Desc)], map: "owner_key")
  @@unique([id])
}
`;

describe('the tables of a Prisma schema', () => {
  const tables = readTables(schema);
  const thing = tables.get('Thing');

  it('have the names that the database has, also in a schema of their own', () => {
    expect([...tables.keys()]).toEqual(['Thing', 'Owner']);
    expect(thing).toMatchObject({ schema: 'shop', name: 'things' });
    expect(tables.get('Owner')).toMatchObject({ schema: undefined, name: 'Owner' });
  });

  it('have the columns that the database has, and none for relations or comments', () => {
    expect([...(thing?.columns ?? [])].map(([field, { name }]) => [field, name])).toEqual([
      ['id', 'id'],
      ['label', 'the "label"'],
      ['colour', 'colour'],
      ['code', 'code'],
      ['tags', 'tags'],
      ['ownerId', 'owner_id'],
      ['geo', 'geo'],
    ]);
  });

  it('know lists, unique columns and the labels of enums', () => {
    expect(thing?.columns.get('tags')?.list).toBe(true);
    expect(thing?.columns.get('label')?.list).toBe(false);
    expect(thing?.columns.get('code')?.unique).toBe(true);
    expect(thing?.columns.get('ownerId')?.unique).toBe(false);
    expect([...(thing?.columns.get('colour')?.members ?? [])]).toEqual([
      ['red // not a comment', 'RED'],
      ['GREEN', 'GREEN'],
    ]);
  });
});
