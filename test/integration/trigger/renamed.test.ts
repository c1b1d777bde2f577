import { type CapturedClient, createCapturedClient } from '../../../src/healthcore/capturedClient';
import type { CaptureEngineName } from '../../../src/outbox/prisma/engineName';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { silentLogger } from '../../support/logger';
import { connect, type TestConnection } from './support';

const remedy = /npx signalbox sync/;

describe('a write of a table whose triggers were generated for other names', () => {
  let database: TestDatabase;
  let db: TestConnection;
  let prisma: CapturedClient;

  beforeEach(async () => {
    database = await createTestDatabase();
    db = await connect(database.url);
    const engine: CaptureEngineName = 'trigger';
    const options = {
      databaseUrl: database.url,
      poolSize: 2,
      applicationName: 'renamed',
      logger: silentLogger(),
    };
    prisma = await createCapturedClient(engine, options, { source: 'renamed', logger: options.logger });
  });
  afterEach(async () => {
    await prisma.$disconnect();
    await db.client.end();
    await database.drop();
  });

  const insert = `INSERT INTO patients (id, full_name, email, created_at, updated_at)
    VALUES (gen_random_uuid(), 'Ada', 'ada@example.com', now(), now())`;

  it('names the command after a column was renamed: in plain SQL, in raw SQL and in a transaction', async () => {
    await db.run('ALTER TABLE patients RENAME COLUMN name TO full_name');
    await expect(db.run(insert)).rejects.toMatchObject({
      message: 'column n.name does not exist',
      internalQuery: expect.stringMatching(remedy),
    });
    await expect(prisma.$executeRawUnsafe(insert)).rejects.toThrow(remedy);
    await expect(prisma.$transaction(async (tx) => tx.$executeRawUnsafe(insert))).rejects.toThrow(remedy);
  });

  it('names the command after a column that only the trigger reads was renamed', async () => {
    const patient = await prisma.patient.create({ data: { name: 'Ada', email: 'ada@example.com' } });
    await db.run('ALTER TABLE patients RENAME COLUMN clinical_notes TO notes');
    const write = prisma.patient.updateMany({ where: { id: patient.id }, data: { name: 'Grace' } });
    await expect(write).rejects.toThrow(remedy);
  });

  it('names the command after the value of an enum was renamed', async () => {
    const patient = await prisma.patient.create({ data: { name: 'Ada', email: 'ada@example.com' } });
    const appointment = await prisma.appointment.create({
      data: {
        patientId: patient.id,
        practitioner: 'Dr. Who',
        startsAt: new Date('2026-01-05T08:00:00Z'),
        endsAt: new Date('2026-01-05T09:00:00Z'),
      },
    });
    await db.run(`ALTER TYPE appointment_status RENAME VALUE 'CANCELLED' TO 'CALLED_OFF'`);
    const write = prisma.appointment.updateMany({
      where: { id: appointment.id },
      data: { practitioner: 'Dr. No' },
    });
    await expect(write).rejects.toThrow(remedy);
  });

  it('leaves errors of the statement itself as they are', async () => {
    await db.run('ALTER TABLE patients RENAME COLUMN phone TO telephone');
    const write = prisma.patient.create({ data: { name: 'Ada', email: 'ada@example.com', phone: '1' } });
    await expect(write).rejects.toMatchObject({ code: 'P2022', message: expect.not.stringMatching(remedy) });
  });
});
