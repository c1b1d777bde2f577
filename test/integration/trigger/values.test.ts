import { randomBytes, randomUUID } from 'node:crypto';
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
  oneOf,
  restricted,
  text,
  uuid,
} from '../../../src/events/fields';
import { install, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

const schema = `
enum Mood {
  GOOD @map("in good spirits")
  BAD
}
model Specimen {
  id        String   @id @db.Uuid
  label     String?
  fixed     String?  @db.Char(4)
  caseless  String?
  seen      DateTime? @db.Timestamptz(6)
  local     DateTime?
  day       DateTime? @db.Date
  small     Int?
  big       BigInt?
  exact     Decimal?
  money     Decimal? @db.Decimal(38, 4)
  ratio     Float?
  thin      Float?   @db.Real
  yes       Boolean?
  scan      Bytes?
  doc       Json?
  oldDoc    Json?    @db.Json @map("old doc")
  mood      Mood?
  hidden    Json?    @db.Json
  tags      String[]
  @@map("Speci\\"mens")
}
model Vial {
  rack String
  slot Int
  code String  @unique
  note String?
  @@id([rack, slot])
  @@map("vials")
}
`;

const createTables = `
  CREATE TYPE mood AS ENUM ('in good spirits', 'BAD');
  CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  CREATE TABLE "Speci""mens" (id uuid PRIMARY KEY, label text, fixed char(4), caseless text COLLATE caseless,
    seen timestamptz, local timestamp(3), day date, small int, big bigint, exact numeric, money numeric(38,4),
    ratio float8, thin real, yes boolean, scan bytea, doc jsonb, "old doc" json, mood mood, hidden json, tags text[]);
  CREATE TABLE vials (rack text, slot int, code text UNIQUE NOT NULL, note text, PRIMARY KEY (rack, slot));`;

const fields = {
  id: uuid('id', 'identifier'),
  label: text('label', 'operational'),
  fixed: text('fixed', 'operational'),
  caseless: text('caseless', 'operational'),
  seen: datetime('seen', 'operational'),
  local: datetime('local', 'operational'),
  day: date('day', 'operational'),
  small: int('small', 'operational'),
  big: bigint('big', 'operational'),
  exact: decimal('exact', 'operational'),
  money: decimal('money', 'operational'),
  ratio: float('ratio', 'operational'),
  thin: float('thin', 'operational'),
  yes: boolean('yes', 'operational'),
  scan: bytes('scan', 'operational'),
  doc: json('doc', 'operational'),
  oldDoc: json('old_doc', 'operational'),
  mood: oneOf('mood', 'operational', ['GOOD', 'BAD']),
  hidden: restricted('hidden'),
  tags: restricted('tags'),
};
const carries = Object.keys(fields).filter((name) => name !== 'hidden' && name !== 'tags');

const catalogue: Aggregate[] = [
  {
    type: 'specimen',
    model: 'Specimen',
    key: 'id',
    version: '1.0',
    fields,
    events: {
      'specimen.created': { on: 'create', carries },
      'specimen.seen': { on: 'create', carries: ['id'] },
      'specimen.changed': {
        on: 'update',
        when: { changed: Object.keys(fields) },
        carries: ['id'],
        changedFields: true,
      },
      'specimen.cheered': {
        on: 'update',
        when: { becomes: { field: 'mood', value: 'GOOD' } },
        carries: ['mood'],
        previous: ['mood'],
      },
      'specimen.five': {
        on: 'update',
        when: { becomes: { field: 'exact', value: '5' } },
        carries: ['exact'],
      },
    },
  },
  {
    type: 'vial',
    model: 'Vial',
    key: 'code',
    version: '1.0',
    fields: { code: text('code', 'identifier'), note: text('note', 'operational') },
    events: {
      'vial.changed': { on: 'update', when: { changed: ['code', 'note'] }, carries: ['code', 'note'] },
      'vial.deleted': { on: 'delete', carries: ['code'] },
      'vial.created': { on: 'create', carries: ['code'] },
    },
  },
];

/** None of these may change a letter of an event. */
const awkwardSettings = `
  SET TimeZone = 'Asia/Kathmandu'; SET DateStyle = 'German, DMY'; SET IntervalStyle = 'sql_standard';
  SET bytea_output = 'escape'; SET extra_float_digits = -15; SET lc_numeric = 'C'; SET lc_time = 'C';
  SET standard_conforming_strings = off; SET escape_string_warning = off; SET quote_all_identifiers = on;
  SET transform_null_equals = on; SET array_nulls = off; SET plpgsql.variable_conflict = 'use_column';
  SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = 'force_generic_plan'`;

describe.each(serverNames)('the values in events on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    await db.run(createTables);
    await install((sql) => db.run(sql), catalogue, schema);
  });
  afterAll(() => server.stop());
  afterEach(() => db.run('DISCARD ALL'));

  /** Inserts one row and gives what its event carries, as text and parsed. */
  async function created(
    values: Record<string, unknown>,
  ): Promise<{ json: string; data: Record<string, unknown> }> {
    const columns = ['id', ...Object.keys(values)].map((column) => `"${column}"`).join(', ');
    const places = ['id', ...Object.keys(values)].map((_, n) => `$${n + 1}`).join(', ');
    const parameters = [randomUUID(), ...Object.values(values)];
    await db.run(`INSERT INTO "Speci""mens" (${columns}) VALUES (${places})`, parameters);
    const [event] = await db.events();
    if (!event) throw new Error('no event');
    return event;
  }

  it('are encoded by their kind, every digit of them', async () => {
    const scan = randomBytes(200);
    const { data } = await created({
      label: 'Zoë "quoted" \\ / \t\n\u0001\u007f 🩺',
      fixed: 'ab',
      seen: '2026-01-05T20:00:00.123987+01:00',
      local: '2026-01-05 19:00:00.5',
      day: '2026-02-28',
      small: -2147483648,
      big: '9223372036854775807',
      exact: '123456789012345678901234567890.000000000000000000000000000012300',
      money: '-1234567890123456789012345678901234.5000',
      ratio: 0.1,
      thin: 0.1,
      yes: false,
      scan,
      mood: 'in good spirits',
    });
    expect(data).toMatchObject({
      label: 'Zoë "quoted" \\ / \t\n\u0001\u007f 🩺',
      fixed: 'ab  ',
      seen: '2026-01-05T19:00:00.123Z',
      local: '2026-01-05T19:00:00.500Z',
      day: '2026-02-28',
      small: -2147483648,
      big: '9223372036854775807',
      exact: '123456789012345678901234567890.0000000000000000000000000000123',
      money: '-1234567890123456789012345678901234.5',
      ratio: 0.1,
      thin: 0.1,
      yes: false,
      scan: scan.toString('base64'),
      mood: 'GOOD',
    });
  });

  it('write text exactly as JSON.stringify does', async () => {
    const controls = String.fromCharCode(...Array.from({ length: 31 }, (_, n) => n + 1));
    const label = `${controls}\u007f\u2028\u2029"\\/<>&é漢🩺`;
    const { json } = await created({ label });
    expect(json).toContain(`"label":${JSON.stringify(label)}`);
  });

  it('hold a text of 900 kB whole', async () => {
    const label = randomBytes(300_000).toString('hex') + '🩺'.repeat(75_000);
    expect((await created({ label })).data['label']).toBe(label);
  });

  it('keep JSON as it is, its numbers beyond what JavaScript holds and its nulls', async () => {
    const doc = '{"a": null, "n": 12345678901234567890.123456789012345678901, "s": "\\u0041"}';
    const { json } = await created({ doc, 'old doc': doc });
    expect(json).toContain('12345678901234567890.123456789012345678901');
    expect(json).toContain(`"old_doc":${doc}`);
    expect((await created({ doc: 'null' })).data['doc']).toBeNull();
    expect((await created({ doc: '"text"' })).data['doc']).toBe('text');
    expect((await created({ doc: '[]' })).data['doc']).toEqual([]);
  });

  it('are null where the column is', async () => {
    const { data } = await created({});
    expect(Object.values(data).slice(1)).toEqual(carries.slice(1).map(() => null));
  });

  it('are null for a number that JSON cannot say', async () => {
    expect((await created({ ratio: 'NaN', thin: '-Infinity' })).data).toMatchObject({
      ratio: null,
      thin: null,
    });
  });

  it('do not change by a letter under awkward settings of the session', async () => {
    const values = {
      label: "back\\slash ' quote",
      seen: '2026-07-05T12:34:56.789Z',
      local: '2026-07-05T12:34:56.789',
      day: '2026-07-05',
      big: '9007199254740993',
      exact: '1e-20',
      ratio: 0.1 + 0.2,
      thin: 3.4028235e38,
      scan: Buffer.from('\\000\xff', 'latin1'),
      doc: '{"b": "\\\\", "a": 0.10}',
      mood: 'BAD',
      tags: ['a'],
    };
    const plain = await created(values);
    await db.run(awkwardSettings);
    const awkward = await created(values);
    const withoutId = ({ json }: { json: string }): string => json.replace(/"id":"[^"]+"/, '');
    expect(withoutId(awkward)).toBe(withoutId(plain));
    expect(plain.data).toMatchObject({ ratio: 0.30000000000000004, exact: '0.00000000000000000001' });
    await db.run(
      `UPDATE "Speci""mens" SET mood = 'in good spirits', doc = '1', hidden = '{"x": 1}', exact = 5.0`,
    );
    const types = await db.types();
    expect(new Set(types)).toEqual(new Set(['specimen.changed', 'specimen.cheered', 'specimen.five']));
  });

  /** Which fields a change of one column is said to have changed. */
  async function changed(column: string, before: unknown, after: unknown): Promise<unknown> {
    await db.run('DELETE FROM "Speci""mens"');
    await created({ [column]: before });
    await db.run(`UPDATE "Speci""mens" SET "${column}" = $1`, [after]);
    const events = await db.said();
    return events.find(([type]) => type === 'specimen.changed')?.[1]['changed_fields'];
  }

  it.each([
    ['label', 'a', 'A', ['label']],
    ['label', '', null, ['label']],
    ['caseless', 'ann', 'Ann', ['caseless']],
    ['seen', '2026-01-01T00:00:00.123001Z', '2026-01-01T00:00:00.123999Z', undefined],
    ['seen', '2026-01-01T00:00:00.123Z', '2026-01-01T00:00:00.124Z', ['seen']],
    ['seen', '2026-01-01T01:00:00+01:00', '2026-01-01T00:00:00Z', undefined],
    ['day', '2026-01-01', '2026-01-02', ['day']],
    ['exact', '1.0', '1.00', undefined],
    ['exact', '1', '1.000000000000000000000000000001', ['exact']],
    ['ratio', 'NaN', 'NaN', undefined],
    ['scan', Buffer.from([1]), Buffer.from([1, 0]), ['scan']],
    ['doc', '{"a":1,"b":2}', '{"b": 2, "a": 1}', undefined],
    ['doc', '{"a":1}', '{"a":"1"}', ['doc']],
    ['doc', '{"a":null}', '{}', ['doc']],
    // Prisma's client gives null for both.
    ['doc', 'null', null, undefined],
    ['hidden', null, 'null', undefined],
    ['hidden', '{"a":1}', '{"a":2}', ['hidden']],
    ['hidden', '{"a":1}', null, ['hidden']],
    ['tags', ['a'], ['a', 'b'], ['tags']],
    ['yes', false, null, ['yes']],
  ])('tell whether %s changed from %j to %j', async (column, before, after, expected) => {
    expect(await changed(column, before, after)).toEqual(expected);
  });

  it('hold two events of one insert in the order of the catalogue', async () => {
    await db.run(`INSERT INTO "Speci""mens" (id) VALUES (gen_random_uuid()), (gen_random_uuid())`);
    const events = await db.events();
    expect(events.map(({ event_type }) => event_type)).toEqual(
      Array.from({ length: 2 }, () => ['specimen.created', 'specimen.seen']).flat(),
    );
    expect(events[0]?.aggregate_id).toBe(events[1]?.aggregate_id);
  });

  it('write an enum by its name in Prisma, also the one before', async () => {
    await db.run('DELETE FROM "Speci""mens"');
    await created({ mood: 'BAD' });
    await db.run(`UPDATE "Speci""mens" SET mood = 'in good spirits'`);
    expect((await db.said()).at(-1)).toEqual(['specimen.cheered', { mood: 'GOOD', previous_mood: 'BAD' }]);
  });

  it('name rows by a unique key, whatever happens to their primary key', async () => {
    await db.run(`INSERT INTO vials VALUES ('r', 1, 'A'), ('r', 2, 'B'), ('s', 1, 'C')`);
    await db.events();
    await db.run(`UPDATE vials SET note = 'x', slot = slot + 10 WHERE slot = 1`);
    expect((await db.said()).map(([type, { code }]) => [type, code])).toEqual([
      ['vial.changed', 'A'],
      ['vial.changed', 'C'],
    ]);
    await db.run(`UPDATE vials SET code = 'D' WHERE code = 'B'`);
    const moved = await db.events();
    expect(moved.map(({ event_type, aggregate_id }) => [event_type, aggregate_id])).toEqual([
      ['vial.deleted', 'B'],
      ['vial.created', 'D'],
    ]);
  });
});
