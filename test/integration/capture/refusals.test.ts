import { Prisma } from '../../../src/generated/prisma/client';
import { type Bench, openBench, person, visit } from './support';

describe('what capture refuses', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  it('nested writes that reach a captured model, naming model, operation and the way out', async () => {
    const { prisma } = bench;
    const { id } = await prisma.patient.create({ data: person() });
    const { patientId: _, ...slot } = visit(id);
    const refused: [string, Promise<unknown>][] = [
      [
        'Patient.create, appointments.create',
        prisma.patient.create({ data: { ...person(), appointments: { create: slot } } }),
      ],
      [
        'Patient.update, appointments.updateMany',
        prisma.patient.update({
          where: { id },
          data: { appointments: { updateMany: { where: {}, data: { reason: 'r' } } } },
        }),
      ],
      [
        'Patient.update, appointments.connect',
        prisma.patient.update({ where: { id }, data: { appointments: { connect: [] } } }),
      ],
      [
        'Appointment.create, patient.create',
        prisma.appointment.create({ data: { ...slot, patient: { create: person() } } }),
      ],
      [
        'Appointment.create, patient.connectOrCreate',
        prisma.appointment.create({
          data: { ...slot, patient: { connectOrCreate: { where: { id }, create: person() } } },
        }),
      ],
      [
        'Patient.upsert, appointments.deleteMany',
        prisma.patient.upsert({
          where: { id },
          create: person(),
          update: { appointments: { deleteMany: {} } },
        }),
      ],
    ];
    for (const [path, attempt] of refused) {
      await expect(attempt).rejects.toMatchObject({
        name: 'CaptureError',
        message: expect.stringMatching(
          `"${path}" changes rows of (Patient|Appointment).*\\$transaction\\(async \\(tx\\)`,
        ) as string,
      });
    }
    expect(await bench.plain.patient.count()).toBe(1);
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
