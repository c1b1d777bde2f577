/** Values of every kind through Prisma and each engine, in a copy of the project that has a model with such columns. */
import { writeFile } from 'node:fs/promises';
import { migrate } from '../../../src/shared/migrate/migrate';
import { createEmptyDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { Project } from '../guides/project';
import { connect, type OutboxRow, type TestConnection } from '../trigger/support';
import { engines } from './support';

jest.setTimeout(180_000);

const model = `
model Specimen {
  id    String    @id @default(uuid(7)) @db.Uuid
  big   BigInt
  exact Decimal   @db.Decimal(60, 30)
  scan  Bytes
  doc   Json
  maybe Json?
  note  String?
  seen  DateTime? @db.Timestamptz(3)
  ratio Float

  @@map("specimens")
}

enum Mood {
  GOOD @map("in good spirits")
  BAD
}

model Oddity {
  id    String    @id @db.Uuid
  note  String?
  ext   String?
  seen  DateTime? @db.Timestamptz(3)
  local DateTime?
  day   DateTime? @db.Date
  count Int?
  big   BigInt?
  exact Decimal?
  ratio Float?
  thin  Float?    @db.Real
  yes   Boolean?
  scan  Bytes?
  doc   Json?
  text  Json?     @db.Json
  mood  Mood?

  @@map("oddities")
}
`;

const table = `CREATE TABLE "specimens" (id uuid PRIMARY KEY, big bigint NOT NULL, exact numeric(60, 30) NOT NULL,
  scan bytea NOT NULL, doc jsonb NOT NULL, maybe jsonb, note text, seen timestamptz(3), ratio float8 NOT NULL);
CREATE TYPE "Mood" AS ENUM ('in good spirits', 'BAD', 'later');
CREATE TABLE "oddities" (id uuid PRIMARY KEY, note text, ext text, seen timestamptz(3), local timestamp(3), day date,
  count int, big bigint, exact numeric, ratio float8, thin real, yes boolean, scan bytea, doc jsonb, text json, mood "Mood");`;

const aggregate = `import { bigint, bytes, datetime, decimal, defineAggregate, float, json, nullable, text, uuid } from 'signalbox';

export const specimen = defineAggregate({
  type: 'specimen',
  model: 'Specimen',
  key: 'id',
  version: '1.0',
  fields: {
    id: uuid('id', 'identifier'),
    big: bigint('big', 'operational'),
    exact: decimal('exact', 'operational'),
    scan: bytes('scan', 'operational'),
    doc: json('doc', 'operational'),
    maybe: json('maybe', 'operational'),
    note: nullable(text('note', 'operational')),
    seen: nullable(datetime('seen', 'operational')),
    ratio: float('ratio', 'operational'),
  },
  events: {
    'specimen.created': { on: 'create', carries: ['big', 'exact', 'scan', 'doc', 'maybe', 'note', 'seen', 'ratio'] },
    'specimen.changed': {
      on: 'update',
      when: { changed: ['big', 'exact', 'scan', 'doc', 'maybe', 'note', 'seen', 'ratio'] },
      carries: ['big', 'exact', 'scan', 'doc', 'maybe', 'note', 'seen', 'ratio'],
      previous: ['big', 'exact'],
      changedFields: true,
    },
    'specimen.deleted': { on: 'delete', carries: ['big', 'exact', 'scan', 'doc', 'maybe', 'note', 'seen', 'ratio'] },
  },
});
`;

const oddAggregate = `import { defineAggregate } from 'signalbox';
import * as kind from 'signalbox';

const { nullable } = kind;

export const oddity = defineAggregate({
  type: 'oddity',
  model: 'Oddity',
  key: 'id',
  version: '1.0',
  fields: {
    id: kind.uuid('id', 'identifier'),
    note: nullable(kind.text('note', 'operational')),
    ext: nullable(kind.uuid('ext', 'operational')),
    seen: nullable(kind.datetime('seen', 'operational')),
    local: nullable(kind.datetime('local', 'operational')),
    day: nullable(kind.date('day', 'operational')),
    count: nullable(kind.int('count', 'operational')),
    big: nullable(kind.bigint('big', 'operational')),
    exact: nullable(kind.decimal('exact', 'operational')),
    ratio: nullable(kind.float('ratio', 'operational')),
    thin: nullable(kind.float('thin', 'operational')),
    yes: nullable(kind.boolean('yes', 'operational')),
    scan: nullable(kind.bytes('scan', 'operational')),
    doc: kind.json('doc', 'operational'),
    text: kind.json('text', 'operational'),
    mood: nullable(kind.oneOf('mood', 'operational', ['GOOD', 'BAD'])),
  },
  events: {
    'oddity.changed': {
      on: 'update',
      when: { changed: ['note'] },
      carries: ['id', 'note', 'ext', 'seen', 'local', 'day', 'count', 'big', 'exact', 'ratio', 'thin', 'yes', 'scan', 'doc',
        'text', 'mood'],
    },
  },
});
`;

/**
 * By column, what Postgres takes for it; an exclamation mark is before what no event can carry. The events of the others
 * must come through, from the row to a consumer.
 */
const oddValues: Readonly<Record<string, readonly string[]>> = {
  note: ['', ' ', '\u2028\u2029', '\u0001\u001f"\\\\', '🩺👩‍⚕️', '\ufeff', '\ufffe', 'x'.repeat(300_000)],
  ext: [
    '11111111-1111-1111-1111-111111111111',
    'ABCDEF01-2345-6789-ABCD-EF0123456789',
    'ffffffff-ffff-ffff-ffff-ffffffffffff',
    '!',
    '!{11111111-1111-1111-1111-111111111111}',
    '!11111111111111111111111111111111',
  ],
  seen: [
    '0001-01-01T00:00:00Z',
    '0099-12-31T23:59:59.999Z',
    '1582-10-10T00:00:00Z',
    '1969-12-31T23:59:59.999Z',
    '2000-02-29T00:00:00Z',
    '9999-12-31T23:59:59.999Z',
    '!infinity',
    '!-infinity',
    '!0044-03-15 12:00:00+00 BC',
    '!0001-12-31 23:59:59.999+00 BC',
    '!10000-01-01 00:00:00+00',
    '!275760-09-13 00:00:00+00',
    '!294276-12-31 00:00:00+00',
  ],
  local: [
    '0001-01-01 00:00:00',
    '9999-12-31 23:59:59.999',
    '!infinity',
    '!0001-12-31 00:00:00 BC',
    '!10000-01-01',
  ],
  day: [
    '0001-01-01',
    '2000-02-29',
    '9999-12-31',
    '!infinity',
    '!-infinity',
    '!0001-12-31 BC',
    '!10000-01-01',
  ],
  count: ['0', '-2147483648', '2147483647'],
  big: ['9223372036854775807', '-9223372036854775808', '9007199254740993', '0'],
  exact: [
    '0',
    '-0.000',
    '1e-30',
    '1e300',
    '-123456789012345678901234567890.5',
    `0.${'0'.repeat(400)}1`,
    '!NaN',
    '!Infinity',
    '!-Infinity',
  ],
  ratio: [
    '-0',
    '1e20',
    '1e21',
    '1e-6',
    '1e-7',
    '5e-324',
    '1.7976931348623157e308',
    'NaN',
    'Infinity',
    '-Infinity',
  ],
  thin: ['-0', '0.1', '1e15', '1e-6', '3.4028235e38', '1e-45', '16777216', 'NaN', 'Infinity'],
  yes: ['true', 'false'],
  scan: ['\\x', '\\x00ff', `\\x${'ab'.repeat(1_000)}`],
  doc: [
    'null',
    '""',
    '[]',
    '{"a": {"b": [1, 2.5, "\\u2028"]}, "": null}',
    '12345678901234567890',
    `${'['.repeat(2_000)}${']'.repeat(2_000)}`,
  ],
  text: ['{"a":1,"a":2}', '"\\u00e4\\ud83e\\ude7a"', '!"\\u0000"', '!"\\ud800"', '!{"\\u0000":1}'],
  mood: ['in good spirits', 'BAD', '!later'],
};

/** What is written, in a form that JSON and a program's text can hold. */
const written = {
  big: '-9223372036854775808',
  exact: '123456789012345678901234567890.000000000000000000000000000001',
  scan: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('base64'),
  doc: { nothing: null, list: [null, 1.5, { deep: null }, ''], empty: {}, text: '🩺 \\ " \u2028' },
  maybe: null,
  note: '🩺'.repeat(225_000),
  seen: '2026-02-28T23:59:59.999Z',
  ratio: 0.1,
};

const program = `
const { createCapturedClient } = require('./dist/src/healthcore/capturedClient');
const { createLogger } = require('./dist/src/shared/logger');
const { Prisma } = require('./dist/src/generated/prisma/client');
async function main() {
  const logger = createLogger({ level: 'info', name: 'values' });
  const { DATABASE_URL: databaseUrl, OUTBOX_CAPTURE: engine } = process.env;
  const database = { databaseUrl, poolSize: 1, applicationName: 'values', logger };
  const prisma = await createCapturedClient(engine, database, { source: 'values', logger });
  const given = ${JSON.stringify({ ...written, note: '' })};
  const data = {
    ...given,
    big: BigInt(given.big),
    scan: Buffer.from(given.scan, 'base64'),
    maybe: Prisma.JsonNull,
    note: '🩺'.repeat(225_000),
  };
  const { id, big, exact, scan, note } = await prisma.specimen.create({ data });
  await prisma.specimen.createMany({ data: [data, { ...data, maybe: Prisma.DbNull }] });
  await prisma.specimen.createManyAndReturn({ data: [data], select: { big: true } });
  await prisma.specimen.update({ where: { id }, data: { maybe: Prisma.DbNull, note: data.note } });
  await prisma.specimen.update({ where: { id }, data: { big: { increment: 1n }, exact: { increment: '1e-30' } } });
  await prisma.specimen.updateMany({ where: { id }, data: { big: { decrement: 1n }, exact: data.exact } });
  await prisma.specimen.delete({ where: { id }, select: { id: true } });
  console.log(big + ' ' + exact.toFixed() + ' ' + Buffer.from(scan).toString('base64') + ' ' + note.length);
  await prisma.$disconnect();
}
void main();
`;

/** Changes a row of each odd value through Prisma, and says what became of it. */
const oddProgram = `
const { createCapturedClient } = require('./dist/src/healthcore/capturedClient');
const { createLogger } = require('./dist/src/shared/logger');
const { catalogue } = require('./dist/src/healthcore/catalogue');
const { prepare } = require('./dist/src/relay/prepare');
const { readEvent } = require('./dist/src/kafka/messages/readMessage');
const { viewOf } = require('./dist/src/consumers/console/view');
const { format, formats } = require('./dist/src/consumers/console/formats');
const { Client } = require('pg');

const uuid = (n) => '00000000-0000-0000-0000-' + String(n).padStart(12, '0');

async function main() {
  const logger = createLogger({ level: 'info', name: 'values' });
  const { DATABASE_URL: databaseUrl, OUTBOX_CAPTURE: engine } = process.env;
  const database = { databaseUrl, poolSize: 1, applicationName: 'values', logger };
  const prisma = await createCapturedClient(engine, database, { source: 'values', logger });
  const db = new Client({ connectionString: databaseUrl });
  await db.connect();
  const found = [];
  let n = 0;
  for (const [column, values] of Object.entries(require('./odd.json')))
    for (const marked of values) {
      const value = marked.replace(/^!/, '');
      const id = uuid((n += 1));
      // As a row from before capture: no trigger sees it.
      await db.query('SET session_replication_role = replica');
      await db.query('INSERT INTO oddities (id, ' + column + ') VALUES ($1, $2)', [id, value]);
      await db.query('RESET session_replication_role');
      const data = { note: column === 'note' ? undefined : 'changed' };
      let error;
      try {
        if (column === 'note') await prisma.oddity.update({ where: { id }, data: { note: value + '.' } });
        else await prisma.oddity.update({ where: { id }, data });
      } catch (thrown) {
        error = thrown.name + ': ' + thrown.message;
      }
      const { rows } = await db.query(
        'SELECT *, data::text AS text FROM signalbox.outbox WHERE aggregate_id = $1', [id]);
      found.push({ column, marked, error, ...through(rows[0]) });
    }
  await db.end();
  await prisma.$disconnect();
  console.log(JSON.stringify(found));
}

/** From the row of the outbox to what a consumer and the console make of it. */
function through(row) {
  if (row === undefined) return {};
  const event = {
    eventId: row.event_id, eventType: row.event_type, eventVersion: row.event_version, occurredAt: row.occurred_at,
    aggregateType: row.aggregate_type, aggregateId: row.aggregate_id, source: row.source, correlationId: null,
    causationId: null, actor: null, traceparent: null, position: row.position, data: row.text, lane: row.lane,
  };
  const prepared = prepare(event, { catalogue, topicPrefix: 'p', maxMessageBytes: 10_000_000 });
  if (!prepared.message) return { fault: prepared.fault.detail };
  const { topic, key, value } = prepared.message;
  const message = { topic, partition: 0, offset: '0', timestamp: '0', key: Buffer.from(key), value, headers: {} };
  const read = readEvent(message, { catalogue, topicPrefix: 'p' });
  const view = viewOf(message, { catalogue, topicPrefix: 'p' });
  for (const how of formats) format(view, how, { colour: false, headers: true, deadLetters: false });
  return { json: row.text, fault: read.ok ? undefined : read.reason };
}
void main();
`;

describe('values of every kind', () => {
  let project: Project;
  const outcomes = new Map<string, readonly OddOutcome[]>();

  beforeAll(async () => {
    project = await Project.copy();
    const blocks = {
      'append-to=prisma/schema.prisma': model,
      'file=prisma/migrations/20270101000000_specimens/migration.sql': table,
      'file=src/healthcore/events/specimen.ts': aggregate,
      'file=src/healthcore/events/oddity.ts': oddAggregate,
      'change=src/healthcore/catalogue.ts':
        "import { oddity } from './events/oddity';\nimport { specimen } from './events/specimen';\n  aggregates: [patient, appointment, specimen, oddity],\n",
    };
    for (const [info, body] of Object.entries(blocks)) await project.apply({ info, body });
    await writeFile(project.path('values.js'), program);
    await writeFile(project.path('odd.js'), oddProgram);
    await writeFile(project.path('odd.json'), JSON.stringify(oddValues));
    expect(await project.node(['prisma/generate.js'])).toMatchObject({ code: 0 });
    expect(await project.compile()).toEqual({ code: 0, output: '' });
    expect(await project.signalbox('sync')).toMatchObject({ code: 0 });
  });
  afterAll(() => project.remove());

  describe.each(engines)('with the %s engine', (engine) => {
    let database: TestDatabase;
    let db: TestConnection;
    let output: string;
    let events: OutboxRow[];

    beforeAll(async () => {
      database = await createEmptyDatabase();
      const directory = project.path('prisma/migrations');
      await migrate({ databaseUrl: database.url, directory, logger: silentLogger() });
      db = await connect(database.url);
      ({ output } = await project.node(['values.js'], {
        DATABASE_URL: database.url,
        OUTBOX_CAPTURE: engine,
      }));
      events = await db.events();
    });
    afterAll(async () => {
      await db.client.end();
      await database.drop();
    });

    it('come out of Prisma as they went in', () => {
      const { big, exact, scan, note } = written;
      expect(output).toBe(`${big} ${exact} ${scan} ${note.length}\n`);
    });

    it('are in the events of every way to create a row as they went in: 64 bits, 60 digits, bytes, nulls, 900 kB', () => {
      const created = events.filter(({ event_type }) => event_type === 'specimen.created');
      expect(created).toHaveLength(4);
      for (const { data } of created) expect(data).toEqual(written);
    });

    it('are in the events of updates, with what they were before', () => {
      const changed = events.filter(({ event_type }) => event_type === 'specimen.changed');
      const { big, exact } = written;
      const more = { big: '-9223372036854775807', exact: exact.replace(/1$/, '2') };
      expect(changed.map(({ data }) => data)).toEqual([
        { ...written, ...more, previous_big: big, previous_exact: exact, changed_fields: ['big', 'exact'] },
        { ...written, previous_big: more.big, previous_exact: more.exact, changed_fields: ['big', 'exact'] },
      ]);
    });

    it('are in the event of a deletion', () => {
      const last = events.at(-1);
      expect([last?.event_type, last?.data]).toEqual(['specimen.deleted', written]);
    });

    it('go all the way to a consumer, or are refused with an error that says the field', async () => {
      const odd = await passOddValues(project, engine, database);
      expect(odd).toHaveLength(Object.values(oddValues).flat().length);
      for (const { column, marked, error, json, fault } of odd) {
        const kept = marked.startsWith('!');
        expect({ column, marked, fault, refused: error !== undefined, sent: json !== undefined }).toEqual({
          column,
          marked,
          fault: undefined,
          refused: kept,
          sent: !kept,
        });
        // Prisma itself names an enum's label that it does not know.
        if (kept && marked.length > 1 && column !== 'mood') expect(error).not.toContain(marked.slice(1));
      }
      outcomes.set(engine, odd);
    });
  });

  it('of every kind are written by both engines letter for letter, JSON but for its blanks', () => {
    const [one, other] = engines.map((engine) => outcomes.get(engine)?.map(asCompared));
    expect(one).toEqual(other);
    expect(one).toBeDefined();
  });
});

interface OddOutcome {
  readonly column: string;
  readonly marked: string;
  readonly error?: string;
  /** The event's data, as they are stored. */
  readonly json?: string;
  /** Why the relay or a consumer refuses it. */
  readonly fault?: string;
}

async function passOddValues(
  project: Project,
  engine: string,
  { url }: TestDatabase,
): Promise<readonly OddOutcome[]> {
  const { code, output } = await project.node(['odd.js'], {
    DATABASE_URL: url,
    OUTBOX_CAPTURE: engine,
  });
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  return JSON.parse(output) as OddOutcome[];
}

function asCompared({ column, marked, json }: OddOutcome): unknown {
  const isJson = column === 'doc' || column === 'text';
  return [column, marked, isJson && json !== undefined ? (JSON.parse(json) as unknown) : json];
}
