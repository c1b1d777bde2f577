/** Each line of docs/coming-from-django.md; the names of these tests quote what Django calls it. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { catalogue } from '../../../src/healthcore/catalogue';
import { subscribedTypes } from '../../../src/consumers/effects';
import { claimEvent } from '../../../src/consumers/inbox';
import type { Aggregate } from '../../../src/events/aggregate';
import { int } from '../../../src/events/fields';
import { needsTriggers, refuseCascades } from '../../../src/outbox/prisma/middleware/cascades';
import { readRelations } from '../../../src/outbox/prisma/schema/relations';
import { capturedModels } from '../../../src/outbox/prisma/catalogueFits';
import { type CapturedClient, createCapturedClient } from '../../../src/healthcore/capturedClient';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import { generate } from '../../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { withoutCapture } from '../../../src/outbox/prisma/withoutCapture';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated } from '../../support/events';
import { silentLogger } from '../../support/logger';
import { connect, type TestConnection } from '../trigger/support';
import { person, visit } from '../capture/support';

const root = resolve(__dirname, '../../..');
const schema = readFileSync(resolve(root, 'prisma/schema.prisma'), 'utf8');

const engines: CaptureEngineName[] = ['middleware', 'trigger'];

describe.each(engines)('what Django knows, with the %s engine', (engine) => {
  let database: TestDatabase;
  let db: TestConnection;
  let prisma: CapturedClient;
  let commits = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
    db = await connect(database.url);
    prisma = await createCapturedClient(engine, options('captured'), {
      source: 'test',
      logger: silentLogger(),
      onCommitted: () => (commits += 1),
    });
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await db.client.end();
    await database.assertNoLeaks();
    await database.drop();
  });
  afterEach(async () => {
    await db.run('DELETE FROM appointments');
    await db.run('DELETE FROM patients');
    await db.events();
  });

  const options = (applicationName: string) => ({
    databaseUrl: database.url,
    poolSize: 4,
    applicationName,
    logger: silentLogger(),
  });

  /** A patient whose creation has been looked at already. */
  const known = async (name?: string): Promise<string> => {
    const { id } = await prisma.patient.create({ data: person(name) });
    await db.events();
    return id;
  };

  test('Model.objects.create, post_save(created=True): an event of the kind `on: create`', async () => {
    await prisma.patient.create({ data: person() });
    expect(await db.types()).toEqual(['patient.created']);
  });

  test('post_save(created=False): an event of the kind `on: update`, and none when nothing has changed', async () => {
    const id = await known('Ada');
    await prisma.patient.update({ where: { id }, data: { name: 'Bea' } });
    await prisma.patient.update({ where: { id }, data: { name: 'Bea' } });
    expect(await db.types()).toEqual(['patient.updated']);
  });

  test('instance: the listed fields of the row as the database has it', async () => {
    const data = { ...person('Ada'), clinicalNotes: 'private' };
    const { id } = await prisma.patient.create({ data });
    const expected = { patient_id: id, name: 'Ada', email: data.email, phone: null };
    expect(await db.said()).toEqual([['patient.created', expected]]);
  });

  test('pre_save, pre_delete: nothing is told before the write, so a write that fails tells nothing', async () => {
    const { email } = await prisma.patient.create({ data: person() });
    await db.events();
    await expect(prisma.patient.create({ data: { name: 'B', email } })).rejects.toMatchObject({
      code: 'P2002',
    });
    await expect(prisma.patient.delete({ where: { id: randomUUID() } })).rejects.toMatchObject({
      code: 'P2025',
    });
    expect(await db.types()).toEqual([]);
  });

  test('post_delete: an event of the kind `on: delete`, from the last image of the row', async () => {
    const id = await known();
    await prisma.patient.delete({ where: { id } });
    expect(await db.said()).toEqual([['patient.deleted', { patient_id: id }]]);
  });

  test('update_fields: `data` names them; changed_fields lists those that have another value now', async () => {
    const id = await known('Ada');
    await prisma.patient.update({ where: { id }, data: { name: 'Ada', phone: '1', clinicalNotes: 'new' } });
    const [[, data] = ['', {}]] = await db.said();
    expect(data).toMatchObject({ changed_fields: ['phone', 'clinical_notes'] });
  });

  test('transaction.atomic: $transaction; after a rollback there is neither row nor event', async () => {
    const failing = prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person() });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await prisma.patient.count()).toBe(0);
    expect(await db.types()).toEqual([]);
  });

  test('savepoint: a nested $transaction; what goes back to it leaves no event', async () => {
    await prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person('kept') });
      const inner = tx.$transaction(async (nested) => {
        await nested.patient.create({ data: person('lost') });
        throw new Error('only the inner one');
      });
      await expect(inner).rejects.toThrow('only the inner one');
    });
    expect((await db.said()).map(([, { name }]) => name)).toEqual(['kept']);
  });

  test('transaction.on_commit: not needed; others see the event when they see the row', async () => {
    const before = commits;
    await prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person() });
      expect(await db.types()).toEqual([]);
      expect(commits).toBe(before);
    });
    expect(await db.types()).toEqual(['patient.created']);
    expect(commits).toBe(before + 1);
  });

  test('bulk_create: createMany; an event for each row', async () => {
    await prisma.patient.createMany({ data: [person('A'), person('B'), person('C')] });
    expect((await db.said()).map(([, { name }]) => name)).toEqual(['A', 'B', 'C']);
  });

  test('bulk_create(ignore_conflicts=True): skipDuplicates; events for the rows that came in', async () => {
    const first = person('A');
    await prisma.patient.createMany({ data: [first] });
    await prisma.patient.createMany({ data: [first, person('B')], skipDuplicates: true });
    expect((await db.said()).map(([, { name }]) => name)).toEqual(['A', 'B']);
  });

  test('bulk_update: one transaction of updates; an event for each row that changed', async () => {
    const [a, b] = [await known('A'), await known('B')];
    await prisma.$transaction([
      prisma.patient.update({ where: { id: a }, data: { phone: '1' } }),
      prisma.patient.update({ where: { id: b }, data: { name: 'B' } }),
    ]);
    expect((await db.events()).map((event) => [event.event_type, event.aggregate_id])).toEqual([
      ['patient.updated', a],
    ]);
  });

  test('queryset.update: updateMany; an event for each row that changed', async () => {
    await known('A');
    await known('B');
    await prisma.patient.updateMany({ where: { name: { in: ['A', 'B'] } }, data: { name: 'A' } });
    expect(await db.types()).toEqual(['patient.updated']);
  });

  test('queryset.delete: deleteMany; an event for each row', async () => {
    await known();
    await known();
    await prisma.patient.deleteMany();
    expect(await db.types()).toEqual(['patient.deleted', 'patient.deleted']);
  });

  test('get_or_create: upsert with an empty update; an event only when it creates', async () => {
    const data = person();
    for (let round = 1; round <= 2; round++) {
      await prisma.patient.upsert({ where: { email: data.email }, create: data, update: {} });
    }
    expect(await db.types()).toEqual(['patient.created']);
  });

  test('update_or_create: upsert; the event of what it did', async () => {
    const data = person();
    for (let round = 1; round <= 2; round++) {
      await prisma.patient.upsert({ where: { email: data.email }, create: data, update: { phone: '1' } });
    }
    expect(await db.types()).toEqual(['patient.created', 'patient.updated']);
  });

  test('ForeignKey: connect on the side that holds the key is a plain write', async () => {
    const { patientId: id, ...slot } = visit(await known());
    await prisma.appointment.create({ data: { ...slot, patient: { connect: { id } } } });
    const [[type, data] = ['', {}]] = await db.said();
    expect([type, data['patient_id']]).toEqual(['appointment.booked', id]);
  });

  test('cursor.execute: what other programs write is captured by the triggers, with either engine', async () => {
    await known();
    await db.run(`UPDATE patients SET phone = '1'`);
    expect(await db.types()).toEqual(['patient.updated']);
  });

  test('loaddata, raw=True: there is no such flag; rows that SQL brings in have their events', async () => {
    await db.run(`INSERT INTO patients (id, name, email, updated_at)
      VALUES (gen_random_uuid(), 'fixture', 'fixture@example.test', now())`);
    expect(await db.types()).toEqual(['patient.created']);
  });

  test('loaddata: what is written under withoutCapture has no events', async () => {
    await withoutCapture(() => prisma.patient.create({ data: person() }));
    expect(await db.types()).toEqual([]);
  });

  test('manage.py flush: TRUNCATE is refused', async () => {
    await expect(db.run('TRUNCATE patients CASCADE')).rejects.toThrow(/TRUNCATE of \w+ is refused/);
  });

  test('on_delete=CASCADE: what the foreign key deletes has its events', async () => {
    const { id } = await prisma.patient.create({ data: person() });
    await prisma.appointment.create({ data: visit(id) });
    await db.events();
    const constrain = (action: string): Promise<unknown> =>
      db.run(`ALTER TABLE appointments DROP CONSTRAINT appointments_patient_id_fkey, ADD CONSTRAINT
        appointments_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES patients ON DELETE ${action} ON UPDATE CASCADE`);
    await constrain('CASCADE');
    try {
      await prisma.patient.delete({ where: { id } });
    } finally {
      await constrain('RESTRICT');
    }
    expect((await db.types()).sort()).toEqual(['appointment.deleted', 'patient.deleted']);
  });

  test('dispatch_uid: a consumer of one name has its effect of one event once', async () => {
    const event = patientCreated();
    const claim = (consumer: string): Promise<string> =>
      prisma.$transaction((tx) => claimEvent(tx, consumer, event));
    expect([await claim('mailer'), await claim('mailer')]).toEqual(['new', 'duplicate']);
    expect(await claim('audit')).toBe('new');
  });

  const rawUpdate = (): PromiseLike<unknown> => prisma.$executeRaw`UPDATE patients SET phone = '1'`;
  test('nested writes: captured, each row with its event', async () => {
    const id = await known();
    const { patientId: _, ...slot } = visit(id);
    await prisma.patient.update({ where: { id }, data: { name: 'n', appointments: { create: slot } } });
    expect((await db.types()).sort()).toEqual(['appointment.booked', 'patient.updated']);
  });

  if (engine === 'middleware') {
    test('raw(), cursor.execute: through the client, refused on a captured table', async () => {
      await known();
      await expect(rawUpdate()).rejects.toThrow('$executeRaw writes to the table "patients"');
      expect(await db.types()).toEqual([]);
    });
  } else {
    test('raw(), cursor.execute: through the client, captured', async () => {
      await known();
      await rawUpdate();
      expect(await db.types()).toEqual(['patient.updated']);
    });
  }
});

describe('what Django knows, with any engine', () => {
  test('m2m_changed: a rule on link and unlink, which the triggers tell; the middleware refuses it', () => {
    const text = `model A {\n  id Int @id\n  bs B[]\n}\nmodel B {\n  id Int @id\n  as A[]\n}\n`;
    const rule = { relation: 'bs', carries: ['id'], other: int('b_id', 'identifier') } as const;
    const linking: Aggregate = {
      type: 'a',
      model: 'A',
      key: 'id',
      version: '1.0',
      fields: { id: int('a_id', 'identifier') },
      events: { 'a.linked': { on: 'link', ...rule }, 'a.unlinked': { on: 'unlink', ...rule } },
    };
    const { triggers } = generate([linking], readTables(text));
    expect(triggers.map(({ name, table }) => `${name} on ${table}`)).toEqual([
      'signalbox_a__bs_insert on "_AToB"',
      'signalbox_a__bs_update on "_AToB"',
      'signalbox_a__bs_delete on "_AToB"',
      'signalbox_a__bs_truncate on "_AToB"',
    ]);
  });

  test('on_delete=CASCADE: in schema.prisma, the middleware engine needs the triggers', () => {
    const cascading = schema.replace('onDelete: Restrict', 'onDelete: Cascade');
    const cascades = refuseCascades(capturedModels(catalogue), readRelations(cascading), {
      foreignKeys: true,
    });
    expect(cascades.all.map(needsTriggers)).toEqual([
      expect.stringMatching(/^The relation Appointment\.patient has "onDelete: Cascade".*only triggers/),
    ]);
  });

  test('receiver(sender=Patient): a consumer names the event types that it handles', () => {
    expect(subscribedTypes(catalogue, { 'patient.created': async () => undefined }, {})).toEqual([
      'patient.created',
    ]);
  });

  test('every line of the page has its test, and every test its line', () => {
    const page = readFileSync(resolve(root, 'docs/coming-from-django.md'), 'utf8');
    const sources = ['django.test.ts', 'adding.test.ts'].map((file) =>
      readFileSync(resolve(__dirname, file), 'utf8'),
    );
    const terms = (text: string): string[] => text.split(', ').map((term) => term.replaceAll('`', ''));
    const rows = [...page.matchAll(/^\| (`[^|]*?) +\|/gm)].flatMap(([, cell = '']) => terms(cell));
    const tests = sources.flatMap((source) =>
      [...source.matchAll(/^ +test\('([^']+?): /gm)].flatMap(([, name = '']) => terms(name)),
    );
    expect([...new Set(rows)].sort()).toEqual([...new Set(tests)].sort());
  });
});
