import { randomUUID } from 'node:crypto';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { silentLogger } from '../../support/logger';
import { startServer, type TestConnection, type TriggerServer } from './support';

/** Every way in which Prisma writes, through the trigger engine. */
describe('writes through Prisma under the trigger engine', () => {
  let server: TriggerServer;
  let db: TestConnection;
  let prisma: PrismaClient;

  beforeAll(async () => {
    server = await startServer('embedded');
    db = await server.open();
    prisma = createPrismaClient({
      databaseUrl: db.url,
      poolSize: 4,
      applicationName: 'prisma test',
      logger: silentLogger(),
      comments: [contextComments({ source: 'clinic' })],
    });
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await server.stop();
  });
  afterEach(async () => {
    await db.run('DELETE FROM appointments');
    await db.run('DELETE FROM patients');
    await db.events();
  });

  const patient = (name = 'Ann'): { name: string; email: string } => ({
    name,
    email: `${randomUUID()}@example.com`,
  });
  const booking = (practitioner = 'Dr') => ({
    practitioner,
    startsAt: '2026-01-05T19:00:00Z',
    endsAt: '2026-01-05T20:00:00Z',
  });
  const counts = async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const type of await db.types()) found[type] = (found[type] ?? 0) + 1;
    return found;
  };

  it('have an event for each single row', async () => {
    const { id } = await prisma.patient.create({ data: patient(), select: { id: true } });
    await prisma.patient.update({ where: { id }, data: { phone: '1' }, omit: { id: true } });
    await prisma.patient.upsert({ where: { id }, create: patient(), update: { phone: '2' } });
    await prisma.patient.upsert({ where: { email: 'none' }, create: patient(), update: {} });
    await prisma.patient.delete({ where: { id } });
    expect(await counts()).toEqual({ 'patient.created': 2, 'patient.updated': 2, 'patient.deleted': 1 });
  });

  it('have an event for each row of a bulk write of 5,000', async () => {
    await prisma.patient.createMany({ data: Array.from({ length: 5_000 }, () => patient()) });
    await prisma.patient.updateMany({ data: { phone: '1' } });
    await prisma.patient.deleteMany();
    expect(await counts()).toEqual({
      'patient.created': 5_000,
      'patient.updated': 5_000,
      'patient.deleted': 5_000,
    });
  });

  it('have events for the rows that skipDuplicates let in, and for those that limit let through', async () => {
    const known = patient();
    await prisma.patient.create({ data: known });
    await prisma.patient.createMany({ data: [known, patient(), patient()], skipDuplicates: true });
    await prisma.patient.createManyAndReturn({ data: [known, patient()], skipDuplicates: true });
    await prisma.patient.updateManyAndReturn({ data: { phone: '1' }, limit: 2 });
    expect(await counts()).toEqual({ 'patient.created': 4, 'patient.updated': 2 });
  });

  it('have an event for an update that falsifies its own condition, and none for one without effect', async () => {
    await prisma.patient.createMany({ data: [patient('Old'), patient('Old')] });
    await prisma.patient.updateMany({ where: { name: 'Old' }, data: { name: 'New' } });
    await prisma.patient.updateMany({ data: { name: 'New' } });
    expect(await counts()).toEqual({ 'patient.created': 2, 'patient.updated': 2 });
  });

  it('have events for nested writes, several levels deep', async () => {
    const { id } = await prisma.patient.create({
      data: { ...patient(), appointments: { create: [booking('A'), booking('B')] } },
    });
    await prisma.patient.update({
      where: { id },
      data: {
        phone: '1',
        appointments: {
          create: booking('C'),
          updateMany: { where: { practitioner: 'A' }, data: { status: 'CANCELLED' } },
          deleteMany: { practitioner: 'B' },
        },
      },
    });
    expect(await counts()).toEqual({
      'patient.created': 1,
      'patient.updated': 1,
      'appointment.booked': 3,
      'appointment.cancelled': 1,
      'appointment.deleted': 1,
    });
  });

  it('have events in a batch and in a transaction, and none when those are rolled back', async () => {
    await prisma.$transaction([
      prisma.patient.create({ data: patient() }),
      prisma.patient.create({ data: patient() }),
    ]);
    await prisma.$transaction(async (tx) => {
      await Promise.all([tx.patient.create({ data: patient() }), tx.patient.create({ data: patient() })]);
    });
    expect(await counts()).toEqual({ 'patient.created': 4 });
    const known = patient();
    const batch = [prisma.patient.create({ data: known }), prisma.patient.create({ data: known })];
    await expect(prisma.$transaction(batch)).rejects.toMatchObject({ code: 'P2002' });
    const failing = prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: patient() });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await counts()).toEqual({});
  });

  it('have no event of a nested transaction that went back to its savepoint', async () => {
    await prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: patient('kept') });
      await tx.$executeRawUnsafe('SAVEPOINT inner_one');
      await tx.patient.create({ data: patient('lost') });
      await tx.$executeRawUnsafe('ROLLBACK TO SAVEPOINT inner_one');
      await tx.patient.create({ data: patient('kept too') });
    });
    expect((await db.said()).map(([, { name }]) => name)).toEqual(['kept', 'kept too']);
  });

  it('fail as without triggers', async () => {
    const { email } = await prisma.patient.create({ data: patient() });
    await expect(prisma.patient.create({ data: { name: 'B', email } })).rejects.toMatchObject({
      code: 'P2002',
    });
    const missing = prisma.patient.update({ where: { email: 'none' }, data: { phone: '1' } });
    await expect(missing).rejects.toMatchObject({ code: 'P2025' });
    const orphan = prisma.appointment.create({ data: { ...booking(), patientId: randomUUID() } });
    await expect(orphan).rejects.toMatchObject({ code: 'P2003' });
  });

  it('keep the order of one row under 16 concurrent writers', async () => {
    const { id } = await prisma.patient.create({ data: { ...patient(), phone: '0' } });
    const increment = (): Promise<number> =>
      prisma.$executeRaw`UPDATE patients SET phone = (phone::int + 1)::text WHERE id = ${id}::uuid`;
    await Promise.all(Array.from({ length: 200 }, increment));
    const phones = (await db.said()).map(([, { phone }]) => Number(phone));
    expect(phones).toEqual(Array.from({ length: 201 }, (_, n) => n));
  });
});
