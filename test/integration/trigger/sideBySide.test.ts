import { randomUUID } from 'node:crypto';
import { catalogue } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { capturedStatements } from '../../../src/outbox/prisma/statementComments';
import { silentLogger } from '../../support/logger';
import { install, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

describe.each(serverNames)('triggers beside the middleware engine on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;
  /** Its writes carry the mark, as those do that the middleware sends. */
  let marked: PrismaClient;
  let unmarked: PrismaClient;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    const options = { databaseUrl: db.url, poolSize: 2, applicationName: 'beside', logger: silentLogger() };
    const { comment } = capturedStatements;
    marked = createPrismaClient({ ...options, comments: [comment] });
    unmarked = createPrismaClient({ ...options, comments: [contextComments({ source: 'clinic' })] });
  });
  afterAll(async () => {
    await marked.$disconnect();
    await unmarked.$disconnect();
    await server.stop();
  });
  afterEach(async () => {
    await db.run('DELETE FROM appointments');
    await db.run('DELETE FROM patients');
    await db.events();
  });

  const patient = (): { name: string; email: string } => ({
    name: 'Ann',
    email: `${randomUUID()}@example.com`,
  });
  const booking = {
    practitioner: 'Dr',
    startsAt: '2026-01-05T19:00:00Z',
    endsAt: '2026-01-05T20:00:00Z',
  };

  it('leave every write of a marked client alone: its engine writes the events', async () => {
    const { id } = await marked.patient.create({ data: { ...patient(), appointments: { create: booking } } });
    await marked.patient.createMany({ data: [patient(), patient()] });
    await marked.patient.createManyAndReturn({ data: [patient()] });
    await marked.patient.update({ where: { id }, data: { phone: '1', appointments: { deleteMany: {} } } });
    await marked.patient.updateMany({ data: { name: 'Bea' } });
    await marked.patient.updateManyAndReturn({ data: { name: 'Cleo' } });
    await marked.patient.upsert({ where: { id }, create: patient(), update: { phone: '2' } });
    await marked.patient.upsert({ where: { email: 'none' }, create: patient(), update: {} });
    await marked.$transaction([marked.patient.delete({ where: { id } })]);
    await marked.$transaction((tx) => tx.patient.deleteMany());
    expect(await db.types()).toEqual([]);
  });

  it('capture everybody else at the same time, also inside one transaction', async () => {
    await unmarked.patient.create({ data: patient() });
    await marked.patient.create({ data: patient() });
    await db.run(`UPDATE patients SET phone = '1'`);
    expect(await db.types()).toEqual(['patient.created', 'patient.updated', 'patient.updated']);
  });

  it('capture the raw SQL of a marked client, which its engine does not see', async () => {
    const { id } = await marked.patient.create({ data: patient() });
    await marked.$executeRaw`UPDATE patients SET phone = '1' WHERE id = ${id}::uuid`;
    await marked.$queryRawUnsafe(`UPDATE patients SET phone = '2' RETURNING id`);
    await marked.$transaction((tx) => tx.$executeRaw`DELETE FROM patients`);
    expect(await db.types()).toEqual(['patient.updated', 'patient.updated', 'patient.deleted']);
  });

  it('capture what a foreign key does in the course of a marked statement', async () => {
    await db.run(`ALTER TABLE appointments DROP CONSTRAINT appointments_patient_id_fkey,
      ADD CONSTRAINT cascading FOREIGN KEY (patient_id) REFERENCES patients ON DELETE CASCADE`);
    const { id } = await marked.patient.create({ data: { ...patient(), appointments: { create: booking } } });
    await marked.patient.delete({ where: { id } });
    expect(await db.types()).toEqual(['appointment.deleted']);
  });

  it('capture both sides of a cascade in an unmarked statement', async () => {
    const { id } = await unmarked.patient.create({
      data: { ...patient(), appointments: { create: booking } },
    });
    await unmarked.patient.delete({ where: { id } });
    const said = await db.types();
    expect(said).toEqual(['patient.created', 'appointment.booked', 'patient.deleted', 'appointment.deleted']);
  });

  it('capture each row of a cascade once, however many rows its statement deletes', async () => {
    for (let n = 0; n < 20; n++) {
      const own = {
        create: [booking, { ...booking, practitioner: 'Two' }].map((each) => ({
          ...each,
          practitioner: `${each.practitioner} ${n}`,
        })),
      };
      await marked.patient.create({ data: { ...patient(), appointments: own } });
    }
    await marked.patient.deleteMany();
    const deleted = await db.events();
    expect(deleted.map(({ event_type }) => event_type)).toEqual(
      Array.from({ length: 40 }, () => 'appointment.deleted'),
    );
    expect(new Set(deleted.map(({ aggregate_id }) => aggregate_id)).size).toBe(40);
  });

  it("capture what somebody's own trigger writes in the course of a marked statement", async () => {
    await db.run(`CREATE FUNCTION log_visit() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN UPDATE patients SET phone = 'visited' WHERE id = NEW.patient_id; RETURN NULL; END $$`);
    await db.run(`CREATE TRIGGER log_visit AFTER INSERT ON appointments
      FOR EACH ROW EXECUTE FUNCTION log_visit()`);
    try {
      const { id } = await marked.patient.create({ data: patient() });
      await marked.appointment.create({ data: { ...booking, patientId: id } });
      expect(await db.said()).toEqual([['patient.updated', expect.objectContaining({ phone: 'visited' })]]);
    } finally {
      await db.run('DROP TRIGGER log_visit ON appointments');
    }
  });

  it("capture what somebody's own trigger writes to the marked table itself", async () => {
    const { id } = await marked.patient.create({ data: patient() });
    await db.run(`CREATE FUNCTION count_patients() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN UPDATE patients SET phone = 'counted' WHERE id = '${id}'; RETURN NULL; END $$`);
    await db.run(`CREATE TRIGGER count_patients AFTER INSERT ON patients
      FOR EACH ROW EXECUTE FUNCTION count_patients()`);
    try {
      await marked.patient.create({ data: patient() });
      expect(await db.said()).toEqual([['patient.updated', expect.objectContaining({ patient_id: id })]]);
    } finally {
      await db.run('DROP TRIGGER count_patients ON patients');
    }
  });

  it('take a mark only from the comment at the end, not from a value or a comment before', async () => {
    await db.run(
      `INSERT INTO patients (id, name, email, updated_at)
      VALUES (gen_random_uuid(), $1, $1, now())`,
      [`/*signalbox='middleware.patients'*/`],
    );
    await db.run(
      `/*signalbox='middleware.patients'*/ UPDATE patients SET phone = '/*signalbox=''middleware.patients''*/'`,
    );
    expect(await db.types()).toEqual(['patient.created', 'patient.updated']);
  });

  it('can be installed under running writers without losing or doubling a write', async () => {
    await db.run('DROP TRIGGER signalbox_patient_insert ON patients');
    const state = { running: true };
    const written: string[] = [];
    const write = async (): Promise<void> => {
      while (state.running) {
        const data = patient();
        await unmarked.patient.create({ data });
        written.push(data.email);
      }
    };
    const writers = [write(), write()];
    while (written.length < 20) await new Promise(setImmediate);
    await install((sql) => db.run(`BEGIN; ${sql}; COMMIT`), catalogue.aggregates);
    const before = new Set(
      (await db.run<{ email: string }>('SELECT email FROM patients')).map((row) => row.email),
    );
    const target = written.length + 20;
    while (written.length < target) await new Promise(setImmediate);
    state.running = false;
    await Promise.all(writers);
    const emails = (await db.said()).map(([, { email }]) => String(email));
    expect(new Set(emails).size).toBe(emails.length);
    // Whatever was written after the installation has its event.
    for (const email of written.filter((each) => !before.has(each))) expect(emails).toContain(email);
  });
});
