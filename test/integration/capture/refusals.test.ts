import { Prisma } from '../../../src/generated/prisma/client';
import { type Bench, openBench, person, visit } from './support';

describe('what capture refuses', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  it('nested writes that may leave a row to which nothing leads, with the way out', async () => {
    const { prisma, plain } = bench;
    const { id } = await prisma.patient.create({ data: person() });
    const { id: other } = await prisma.patient.create({ data: person() });
    const appointment = await prisma.appointment.create({ data: visit(id) });
    const attempt = prisma.appointment.update({
      where: { id: appointment.id },
      data: { patient: { create: person(), connect: { id: other } } },
    });
    await expect(attempt).rejects.toMatchObject({
      name: 'CaptureError',
      message: expect.stringMatching(
        '"Appointment.update, patient.create" changes rows of Patient.*several operations.*\\$transaction\\(async \\(tx\\)',
      ) as string,
    });
    expect(await plain.patient.count()).toBe(2);
  });

  it('nested writes that link what they may create or find', async () => {
    const { prisma, plain } = bench;
    const { id } = await prisma.patient.create({ data: person() });
    const { patientId: _, ...slot } = visit(id);
    const row = { ...slot, id: crypto.randomUUID() };
    const attempt = prisma.patient.update({
      where: { id },
      data: {
        appointments: { createMany: { data: [row], skipDuplicates: true }, connect: { id: row.id } },
      },
    });
    await expect(attempt).rejects.toMatchObject({
      name: 'CaptureError',
      message: expect.stringMatching(
        '"Patient.update, appointments.connect" links a row of Appointment that "Patient.update, appointments.createMany"',
      ) as string,
    });
    expect(await plain.appointment.count()).toBe(0);
  });

  it('raw SQL that writes to a captured table, in and out of transactions, with the way out', async () => {
    const { prisma, plain } = bench;
    const { id } = await prisma.patient.create({ data: person() });
    const attempts: (() => PromiseLike<unknown>)[] = [
      () => prisma.$executeRaw`UPDATE patients SET name = ${'x'} WHERE id = ${id}::uuid`,
      () => prisma.$executeRawUnsafe('DELETE FROM ONLY "public"."patients" WHERE id = $1::uuid', id),
      () => prisma.$executeRaw(Prisma.sql`INSERT INTO appointments (id) VALUES (${id}::uuid)`),
      () => prisma.$queryRaw`WITH gone AS (DELETE FROM patients RETURNING id) SELECT count(*) FROM gone`,
      () => prisma.$queryRawUnsafe('truncate table patients'),
      () => prisma.$transaction((tx) => tx.$executeRaw`UPDATE patients SET name = 'x'`),
      () => prisma.$transaction([prisma.$executeRaw`UPDATE patients SET name = 'x'`]),
    ];
    for (const attempt of attempts)
      await expect(attempt()).rejects.toThrow(/writes to the table "\w+" of the model/);
    expect(await plain.patient.findMany({ select: { name: true } })).toEqual([{ name: 'Ada' }]);
    const allowed =
      await prisma.$queryRaw`SELECT 'UPDATE patients' AS text FROM patients FOR UPDATE -- delete from patients`;
    expect(allowed).toEqual([{ text: 'UPDATE patients' }]);
  });
});
