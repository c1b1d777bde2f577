/** Does what docs/adding-an-event.md says, block by block, in a copy of the project. */
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { dataSchema, type EventRule } from '../../../src/events/aggregate';
import { catalogue } from '../../../src/healthcore/catalogue';
import { parseEnvelope } from '../../../src/events/envelope';
import { patient } from '../../../src/healthcore/events/patient';
import { migrate } from '../../../src/shared/migrate/migrate';
import { createEmptyDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { connect, type OutboxRow, type TestConnection } from '../trigger/support';
import { type Block, Project, type Ran, readBlocks } from './project';

jest.setTimeout(180_000);

const invoice = 'src/healthcore/events/invoice.ts';

/** What is wrong in the aggregates of which the page quotes the errors, each in one place. */
const faults: [from: string, to: string][] = [
  ["['id', 'patientId'] }", "['id', 'remarks'] }"],
  ["nullable(text('reference', 'operational'))", "text('reference', 'operational')"],
  ["decimal('amount'", "int('amount'"],
  [", 'VOID'", ''],
  ['fields: {', "fields: { total: text('total', 'operational'),"],
  ["'Invoice'", "'Invoices'"],
];

describe('the guide to adding an event', () => {
  let project: Project;
  let blocks: Block[];

  beforeAll(async () => {
    project = await Project.copy();
    blocks = await readBlocks();
    for (const block of blocks) await project.apply(block);
    expect(await project.node(['prisma/generate.js'])).toMatchObject({ code: 0 });
    expect(await project.compile()).toEqual({ code: 0, output: '' });
    const written = await project.signalbox('sync');
    expect(written).toMatchObject({
      code: 0,
      output: expect.stringContaining('Wrote prisma/migrations/') as string,
    });
  });
  afterAll(() => project.remove());

  /** The lines of the one block of this kind. */
  const lines = (info: string): string[] => {
    const found = blocks.filter((block) => block.info === info);
    expect(found).toHaveLength(1);
    return found.flatMap(({ body }) => body.trimEnd().split('\n'));
  };

  it('gives a project in which the triggers’ migration is complete', async () => {
    const again = await project.signalbox('sync', '--check');
    expect(again).toMatchObject({ code: 0, output: expect.stringContaining('Nothing to do') as string });
  });

  it('gives a unit test that passes', async () => {
    const passed = { code: 0, output: expect.stringContaining('3 passed') as string };
    expect(await project.unitTest('test/unit/events/invoice')).toMatchObject(passed);
  });

  it('quotes what the compiler says to faults of the catalogue', async () => {
    const said = await project.complaints(invoice, faults);
    const quoted = [...lines('error=carries-restricted'), ...lines('error=fits')];
    expect(quoted).toHaveLength(faults.length);
    for (const line of quoted) expect(said).toContain(line.split('{ … }')[0]);
    const sentences = lines('error=fits').map((line) => /"(.*)"/.exec(line)?.[1] ?? line);
    const together = said.split('\n').filter((line) => sentences.every((each) => line.includes(each)));
    expect(together).toHaveLength(1);
  });

  describe.each(['middleware', 'trigger'])('with the %s engine', (engine) => {
    let database: TestDatabase;
    let db: TestConnection;
    let events: OutboxRow[];

    const run = (script: string): Promise<Ran> =>
      project.node([script], { DATABASE_URL: database.url, OUTBOX_CAPTURE: engine });

    beforeAll(async () => {
      database = await createEmptyDatabase();
      const directory = project.path('prisma/migrations');
      await migrate({ databaseUrl: database.url, directory, logger: silentLogger() });
      db = await connect(database.url);
      expect(await run('try-events.js')).toEqual({ code: 0, output: '' });
      events = await db.events();
    });
    afterAll(async () => {
      await db.client.end();
      await database.drop();
    });

    it('brings about the events that it shows', () => {
      const shown = lines('console').map((line) => line.split(/ +/)[1]);
      expect(events.map(({ event_type }) => event_type)).toEqual(shown);
      const [, issued, , , paid, sms] = events;
      expect(issued?.data).toMatchObject({ amount: '19.9', due_on: '2027-02-01', reference: null });
      expect(paid?.data).toMatchObject({ status: 'PAID', previous_status: 'OPEN' });
      expect(sms).toMatchObject({ aggregate_type: 'sms', aggregate_id: paid?.aggregate_id });
      expect(JSON.stringify(events)).not.toContain('asked for more time');
    });

    test('F(): the event has the value that the database came to', () => {
      const updated = events.filter(({ event_type }) => event_type === 'invoice.updated');
      expect(updated.map(({ data }) => data)).toMatchObject([
        { amount: '19.9', changed_fields: ['remarks'] },
        { amount: '20', changed_fields: ['amount'] },
      ]);
    });

    it('tells of another practitioner by the event that was added', () => {
      const last = events.at(-1);
      expect(last?.event_type).toBe('appointment.reassigned');
      expect(last?.data['practitioner']).toBe(`Dr ${String(last?.data['previous_practitioner'])}`);
    });

    it('quotes what $append says outside a transaction and to data that does not fit', async () => {
      await writeFile(project.path('try-append.js'), appending);
      const { output } = await run('try-append.js');
      expect(output.trimEnd().split('\n')).toEqual(lines('error=append'));
    });
  });

  it('is right that an event without a field is refused unless the field was added, and one with another passes', () => {
    const read = (data: object) => parseEnvelope(catalogue, JSON.stringify({ ...patientDeleted, data }));
    expect(read({ patient_id: randomUUID(), unheard_of: 1 })).toMatchObject({ ok: true });
    expect(read({ unheard_of: 1 })).toEqual({ ok: false, reason: 'data.patient_id: invalid_type' });
    const rule: EventRule = { on: 'delete', carries: ['id', 'phone'], added: ['phone'] };
    expect(dataSchema(patient, rule).safeParse({ patient_id: randomUUID() })).toMatchObject({
      success: true,
    });
  });

  it('quotes what the trigger engine says when the triggers of the invoices are missing', async () => {
    const database = await createEmptyDatabase();
    const db = await connect(database.url);
    try {
      const directory = project.path('prisma/migrations');
      await migrate({ databaseUrl: database.url, directory, logger: silentLogger() });
      for (const operation of ['insert', 'update', 'delete', 'truncate'])
        await db.run(`DROP TRIGGER signalbox_invoice_${operation} ON invoices`);
      const env = { DATABASE_URL: database.url, OUTBOX_CAPTURE: 'trigger' };
      const { code, output } = await project.node(['try-events.js'], env);
      expect(code).toBe(1);
      for (const line of lines('error=triggers')) expect(output).toContain(line);
    } finally {
      await db.client.end();
      await database.drop();
    }
  });
});

const patientDeleted = {
  event_id: randomUUID(),
  event_type: 'patient.deleted',
  timestamp: '2026-01-05T19:00:00.000Z',
  metadata: {
    source: 'test',
    version: '1.0',
    aggregate_type: 'patient',
    aggregate_id: 'p1',
    sequence: '1',
    correlation_id: null,
    causation_id: null,
    actor: null,
    traceparent: null,
  },
};

const appending = `
const { createCapturedClient } = require('./dist/src/healthcore/capturedClient');
const { createLogger } = require('./dist/src/shared/logger');
async function main() {
  const logger = createLogger({ level: 'info', name: 'try' });
  const { DATABASE_URL: databaseUrl, OUTBOX_CAPTURE: engine } = process.env;
  const database = { databaseUrl, poolSize: 1, applicationName: 'try', logger };
  const prisma = await createCapturedClient(engine, database, { source: 'try', logger });
  const say = (error) => console.log(error.message);
  const event = { aggregateId: 'a', data: { to: '+4930123456', text: 'Hello' } };
  await prisma.$append('sms.send', event).catch(say);
  const wrong = { aggregateId: 'a', data: { to: '030', text: 'Hello' } };
  await prisma.$transaction((tx) => tx.$append('sms.send', wrong)).catch(say);
  await prisma.$disconnect();
}
void main();
`;
