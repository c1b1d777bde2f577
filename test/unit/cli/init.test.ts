import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { missingModels, planInit, writeFiles } from '../../../src/cli/init/init';

let directory: string;
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'signalbox-init-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(files: Readonly<Record<string, string>>): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true });
    writeFileSync(path.join(directory, file), text);
  }
}

const datasource = 'datasource db {\n provider = "postgresql"\n}\n';
const shop = `${datasource}
enum Status {
  OPEN
  PAID
}
model OrderItem {
  id        BigInt   @id @default(autoincrement())
  sku       String
  status    Status
  weight    Decimal?
  payload   Json     @default("{}") // a brace } in a default, and a comment
  made      DateTime @db.Date
  tags      String[]
  secret    String   @ignore
  parentId  String?  @db.Uuid
  order     Order?   @relation(fields: [orderId], references: [id])
  orderId   Int?
}
model Order {
  id    Int         @id
  items OrderItem[]
}
model Line {
  orderId Int
  nr      Int
  kind    Status
  note    String?
  @@id([orderId, nr, kind])
}
model Hidden {
  id Int @id
  @@ignore
}
model ByMoment {
  at DateTime @id
}
`;
const project = { 'package.json': '{ "name": "@acme/Web Shop" }', 'prisma/schema.prisma': shop };

describe('init', () => {
  it('restricts every field but the key, and shows how each would be opened', async () => {
    write(project);
    const { files } = await planInit(directory, {});
    const catalogue = files.get('signals/catalogue.ts') ?? '';
    expect(catalogue).toContain(
      "import { bigint, defineAggregate, defineCatalogue, int, oneOf, restricted } from 'signalbox';",
    );
    for (const line of [
      "type: 'order_item',",
      "id: bigint('order_item_id', 'identifier'),",
      "sku: restricted('sku'), // text('sku', 'personal')",
      "status: restricted('status'), // oneOf('status', 'operational', ['OPEN', 'PAID'])",
      "weight: restricted('weight'), // nullable(decimal('weight', 'operational'))",
      "made: restricted('made'), // date('made', 'personal')",
      "parentId: restricted('parent_id'), // nullable(uuid('parent_id', 'operational'))",
      "'order_item.created': { on: 'create', carries: ['id'] },",
      'aggregates: [orderItemSignals, orderSignals, lineSignals],',
      "key: ['orderId', 'nr', 'kind'],",
      "nr: int('nr', 'identifier'),",
      "kind: oneOf('kind', 'identifier', ['OPEN', 'PAID']),",
      "tags: restricted('tags'), // list(text('tags', 'personal'))",
      "note: restricted('note'), // nullable(text('note', 'personal'))",
      "'line.deleted': { on: 'delete', carries: ['orderId', 'nr', 'kind'] },",
    ])
      expect(catalogue).toContain(line);
    expect(catalogue).not.toMatch(/secret|order:/);
  });

  it('takes no other unique field for the key, which every message shows', async () => {
    const person = 'model Person {\n email String @unique\n id Int @id\n}\n';
    const seat = 'model Seat {\n email String @unique\n row Int\n nr Int\n}\n';
    write({ ...project, 'prisma/schema.prisma': datasource + person + seat });
    const { files, models } = await planInit(directory, {});
    expect(models.others).toEqual([{ name: 'Seat', reason: 'it has no @id' }]);
    const catalogue = files.get('signals/catalogue.ts');
    expect(catalogue).toContain("key: 'id',");
    expect(catalogue).toContain("email: restricted('email'),");
  });

  it('gives no two fields, and no two models, one name in events', async () => {
    const twins = 'model Twin {\n id Int @id\n userId Int\n user_id Int\n}\nmodel twin {\n id Int @id\n}\n';
    write({ ...project, 'prisma/schema.prisma': datasource + twins });
    const twice = (await planInit(directory, {})).files.get('signals/catalogue.ts');
    for (const line of [
      "type: 'twin',",
      "type: 'twin_2',",
      'aggregates: [twinSignals, twin_2Signals],',
      "restricted('user_id')",
      "restricted('user_id_2')",
    ])
      expect(twice).toContain(line);
    const order = 'model Order {\n id Int @id\n orderId String\n}\n';
    write({ ...project, 'prisma/schema.prisma': datasource + order });
    const catalogue = (await planInit(directory, {})).files.get('signals/catalogue.ts');
    expect(catalogue).toContain("id: int('id', 'identifier'),");
    expect(catalogue).toContain("orderId: restricted('order_id'),");
  });

  it('names what cannot be captured, with the reason', async () => {
    write(project);
    const { models } = await planInit(directory, {});
    const key = 'its @id has at, which is not a text, a UUID, a whole number, a day or an enum';
    expect(models.others).toEqual([
      { name: 'Hidden', reason: 'it is marked @@ignore' },
      { name: 'ByMoment', reason: key },
    ]);
  });

  it('writes into src where there is one, with the endings that the project’s imports need', async () => {
    write({ ...project, 'package.json': '{ "name": "shop", "type": "module" }', 'src/index.ts': '' });
    const nodenext = await planInit(directory, {});
    expect([...nodenext.files.keys()]).toEqual(['src/signals/catalogue.ts', 'signalbox.config.ts']);
    expect(nodenext.files.get('signalbox.config.ts')).toContain("from './src/signals/catalogue.js';");
    write({ 'tsconfig.json': '{ "compilerOptions": { "moduleResolution": "bundler" } }' });
    const bundler = await planInit(directory, {});
    expect(bundler.files.get('signalbox.config.ts')).toContain("from './src/signals/catalogue';");
  });

  it('takes the places of the schema and of the migrations from prisma.config.ts', async () => {
    write({
      'package.json': '{ "name": "shop" }',
      'db/models/a.prisma': shop,
      'prisma.config.ts': "export default { schema: 'db/models', migrations: { path: 'db/changes' } };",
    });
    const { project: found, files } = await planInit(directory, {});
    expect(found).toMatchObject({ schema: 'db/models', migrations: 'db/changes', name: 'shop' });
    expect(files.get('signalbox.config.ts')).toMatch(/schema: 'db\/models',\n {2}migrations: 'db\/changes',/);
  });

  it('makes a name for topics of the package’s name', async () => {
    write(project);
    expect((await planInit(directory, {})).project.name).toBe('web-shop');
  });

  it('writes what is missing only, and names models that a catalogue lacks with their code', async () => {
    write(project);
    const first = await planInit(directory, { models: ['Order'] });
    writeFiles(first);
    const written = readFileSync(path.join(directory, 'signals/catalogue.ts'), 'utf8');
    const second = await planInit(directory, {});
    expect(second.files.size).toBe(0);
    writeFiles(second);
    expect(readFileSync(path.join(directory, 'signals/catalogue.ts'), 'utf8')).toBe(written);
    expect(missingModels(second, ['Order'])).toEqual({
      names: ['OrderItem', 'Line'],
      code: expect.stringContaining('export const orderItemSignals = defineAggregate({') as string,
    });
  });

  it.each([
    [{}, {}, 'There is no package.json in'],
    [{ 'package.json': '{}' }, {}, 'There is no Prisma schema at prisma/schema.prisma. Name its file'],
    [project, { models: ['Lines'] }, 'The Prisma schema has no model Lines. It has: OrderItem, Order, Line.'],
    [project, { models: ['ByMoment'] }, 'The model ByMoment cannot be captured: its @id has at, which'],
    [
      { ...project, 'prisma/schema.prisma': shop.replace('postgresql', 'mysql') },
      {},
      'The schema is one of mysql: Signalbox needs provider = "postgresql".',
    ],
    [{ ...project, 'prisma/schema.prisma': datasource }, {}, 'no model that can be captured'],
  ])('says in one line what is in the way (%#)', async (files, options, message) => {
    write(files);
    await expect(planInit(directory, options)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(message) as string,
    });
  });
});
