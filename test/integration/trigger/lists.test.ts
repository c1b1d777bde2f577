import type { Aggregate } from '../../../src/events/aggregate';
import {
  bigint,
  boolean,
  bytes,
  date,
  datetime,
  decimal,
  float,
  int,
  json,
  list,
  oneOf,
  text,
  uuid,
} from '../../../src/events/fields';
import { install, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

const schema = `
enum Mood {
  GOOD @map("in good spirits")
  BAD
}
model Box {
  id     Int        @id
  labels String[]
  ids    String[]   @db.Uuid
  counts Int[]
  bigs   BigInt[]
  exact  Decimal[]
  ratios Float[]
  flags  Boolean[]
  times  DateTime[] @db.Timestamptz(3)
  days   DateTime[] @db.Date
  scans  Bytes[]
  docs   Json[]
  moods  Mood[]
  @@map("boxes")
}`;

const lists = {
  labels: list(text('labels', 'operational')),
  ids: list(uuid('ids', 'operational')),
  counts: list(int('counts', 'operational')),
  bigs: list(bigint('bigs', 'operational')),
  exact: list(decimal('exact', 'operational')),
  ratios: list(float('ratios', 'operational')),
  flags: list(boolean('flags', 'operational')),
  times: list(datetime('times', 'operational')),
  days: list(date('days', 'operational')),
  scans: list(bytes('scans', 'operational')),
  docs: list(json('docs', 'operational')),
  moods: list(oneOf('moods', 'operational', ['GOOD', 'BAD'])),
};
const names = Object.keys(lists);
const box: Aggregate = {
  type: 'box',
  model: 'Box',
  key: 'id',
  version: '1.0',
  fields: { id: int('box_id', 'identifier'), ...lists },
  events: {
    'box.created': { on: 'create', carries: names },
    'box.updated': {
      on: 'update',
      when: { changed: names },
      carries: ['labels'],
      previous: ['labels'],
      changedFields: true,
    },
  },
};

const empty = Object.fromEntries(names.map((name) => [name, []]));

describe.each(serverNames)('lists as carried fields on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    await db.run(`CREATE TYPE mood AS ENUM ('in good spirits', 'BAD');
      CREATE TABLE boxes (id int PRIMARY KEY, labels text[], ids uuid[], counts int[], bigs bigint[], exact numeric[],
        ratios float8[], flags boolean[], times timestamptz[], days date[], scans bytea[], docs jsonb[], moods mood[])`);
    await install((sql) => db.run(sql), [box], schema);
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await db.run('DELETE FROM boxes');
    await db.events();
  });

  it('carry each element in the form of its kind, in their order, as the schema promises', async () => {
    await db.run(`INSERT INTO boxes VALUES (1, '{b,"a,\\"",""}', '{11111111-1111-1111-1111-111111111111}', '{2,1}',
      '{9007199254740993}', '{1.50,0}', '{0.5,NaN}', '{t,f}', '{2026-01-05 09:00:00+01}', '{2026-01-05}', '{"\\\\x00ff"}',
      ARRAY['{"a": [1]}'::jsonb, 'null'], '{in good spirits,BAD}')`);
    const [event] = await db.events();
    expect(event?.data).toEqual({
      labels: ['b', 'a,"', ''],
      ids: ['11111111-1111-1111-1111-111111111111'],
      counts: [2, 1],
      bigs: ['9007199254740993'],
      exact: ['1.5', '0'],
      ratios: [0.5, null],
      flags: [true, false],
      times: ['2026-01-05T08:00:00.000Z'],
      days: ['2026-01-05'],
      scans: ['AP8='],
      docs: [{ a: [1] }, null],
      moods: ['GOOD', 'BAD'],
    });
    for (const [field, { schema: shape, pattern }] of Object.entries(lists)) {
      expect(shape.safeParse(event?.data[field])).toMatchObject({ success: true });
      if (pattern !== undefined && field !== 'docs')
        expect(JSON.stringify(event?.data[field])).toMatch(new RegExp(`^(?:${pattern})$`));
    }
  });

  it('are without elements where the column is null, as Prisma reads it: no difference to an empty one', async () => {
    await db.run('INSERT INTO boxes (id) VALUES (1)');
    expect(await db.said()).toEqual([['box.created', empty]]);
    await db.run(`UPDATE boxes SET labels = '{}', counts = '{}', docs = '{}'`);
    expect(await db.said()).toEqual([]);
  });

  it('tell another order of the same elements', async () => {
    await db.run(`INSERT INTO boxes (id, labels, moods) VALUES (1, '{a,b}', '{BAD}')`);
    await db.events();
    await db.run(`UPDATE boxes SET labels = '{b,a}', moods = '{BAD}'`);
    expect(await db.said()).toEqual([
      ['box.updated', { labels: ['b', 'a'], previous_labels: ['a', 'b'], changed_fields: ['labels'] }],
    ]);
  });

  it.each([`'{a,NULL}'`, `'{{a},{b}}'`])(
    'are refused where Prisma could not read them: %s',
    async (labels) => {
      await expect(db.run(`INSERT INTO boxes (id, labels) VALUES (1, ${labels})`)).rejects.toMatchObject({
        code: '22023',
        message: expect.stringContaining(
          '"labels" holds a value that no event can carry: events carry plain lists',
        ),
      });
    },
  );
});
