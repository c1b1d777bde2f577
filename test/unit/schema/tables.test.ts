import { readTables } from '../../../src/outbox/prisma/schema/tables';

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

  it('take a column for unique whose key stands alone in a block, and not one whose key leaves rows out', () => {
    const keys = readTables(`model A {
  a Int
  b Int
  c Int @unique(where: raw("c > 0"))
  d Int
  @@id([a])
  @@unique(fields: [b], map: "b_key")
  @@unique([d], where: { d: { not: null } })
}`).get('A');
    const unique = [...(keys?.columns ?? [])].flatMap(([name, column]) => (column.unique ? [name] : []));
    expect(unique).toEqual(['a', 'b']);
    expect([...(keys?.uniqueFields ?? [])].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('do not hold views, composite types or the fields that lead to them', () => {
    const found = readTables(
      'type Point {\n  x Int\n}\nview Total {\n  id Int @unique\n}\nmodel A {\n  id Int @id\n  at Point\n  totals Total[]\n}',
    );
    expect([...found.keys()]).toEqual(['A']);
    expect([...(found.get('A')?.columns.keys() ?? [])]).toEqual(['id']);
  });

  it('ignore what Prisma ignores after an opening brace', () => {
    const found = readTables('model A { id }\n  id Int @id\n} model B {\n  id Int @id\n}');
    expect([...found.keys()]).toEqual(['A', 'B']);
  });

  it.each([
    ['model A {\n  id Int @id', 'line 2: the schema ends where the end of the line is expected'],
    ['model A {\n  id\n}', 'line 2: the line ends where the type of the field "id" is expected'],
    ['model A {\n  id Int @id @\n}', 'line 2: the line ends where the name of an attribute is expected'],
    ['model A {\n  id Int @map("x" "y")\n}', 'line 2: there is "y" where "," is expected'],
    ['\n/* model A {', 'line 2: a comment that begins here has no end'],
    ['model A {\n  id Int @map("x)\n}', 'line 2: a string that begins here has no end on its line'],
    ['model A {\n  id Int @map("\\q")\n}', 'line 2: "\\q" is not a string'],
    ['model A {\n  id Int %\n}', 'line 2: "%" has no meaning here'],
    ['table A {\n  id Int\n}', 'line 1: there is "table" where a block (model, enum, …) is expected'],
    ['datasource db {\n  url "x"\n}', 'line 2: there is "x" where "=" is expected'],
  ])('cannot be read from %j', (text, message) => {
    expect(() => readTables(text)).toThrow(`The Prisma schema cannot be read at ${message}`);
  });
});
