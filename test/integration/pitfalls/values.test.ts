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
`;

const table = `CREATE TABLE "specimens" (id uuid PRIMARY KEY, big bigint NOT NULL, exact numeric(60, 30) NOT NULL,
  scan bytea NOT NULL, doc jsonb NOT NULL, maybe jsonb, note text, seen timestamptz(3), ratio float8 NOT NULL);`;

const aggregate = `import { defineAggregate } from './aggregate';
import { bigint, bytes, datetime, decimal, float, json, nullable, text, uuid } from './fields';

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
const { createCapturedClient } = require('./dist/src/outbox/capturedClient');
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

describe('values of every kind', () => {
  let project: Project;

  beforeAll(async () => {
    project = await Project.copy();
    const blocks = {
      'append-to=prisma/schema.prisma': model,
      'file=prisma/migrations/20270101000000_specimens/migration.sql': table,
      'file=src/events/specimen.ts': aggregate,
      'change=src/events/catalogue.ts':
        "import { specimen } from './specimen';\nexport const aggregates = [patient, appointment, specimen] as const;\n",
    };
    for (const [info, body] of Object.entries(blocks)) await project.apply({ info, body });
    await writeFile(project.path('values.js'), program);
    expect(await project.node(['prisma/generate.js'])).toMatchObject({ code: 0 });
    expect(await project.compile()).toEqual({ code: 0, output: '' });
    expect(await project.node(['dist/src/outbox/trigger/main.js'])).toMatchObject({ code: 0 });
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
  });
});
