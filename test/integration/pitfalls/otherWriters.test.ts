import { Prisma, type PrismaClient } from '../../../src/generated/prisma/client';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { withContext } from '../../../src/outbox/context';
import { withoutCapture } from '../../../src/outbox/prisma/withoutCapture';
import { person, visit } from '../capture/support';
import { type Clinic, engines, openClinic } from './support';

/** Deletes nobody: an extension that writes with the client that it was applied to. */
const softDelete = Prisma.defineExtension((prisma) =>
  prisma.$extends({
    query: {
      patient: {
        delete: ({ args: { where } }) =>
          prisma.patient.update({ where, data: { phone: 'deleted' } }) as never,
        deleteMany: ({ args: { where } }) =>
          prisma.patient.updateMany({ ...(where && { where }), data: { phone: 'deleted' } }),
      },
    },
  }),
);

type Order = 'before' | 'after';

describe.each(engines)('writes that others send, with the %s engine', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  const create = async (count: number): Promise<string[]> => {
    const rows = await clinic.prisma.patient.createManyAndReturn({
      data: Array.from({ length: count }, () => person()),
    });
    await clinic.db.events();
    return rows.map(({ id }) => id);
  };

  describe.each<Order>(['before', 'after'])('by a soft-delete extension applied %s capture,', (order) => {
    const soft = (): Promise<CapturedClient> =>
      clinic.another({ [order]: (client: PrismaClient) => client.$extends(softDelete) });

    it('have one event for each row, that of what was done to it, with the context of the caller', async () => {
      const ids = await create(6);
      const prisma = await soft();
      const where = (nr: number) => ({ where: { id: ids[nr] ?? '' } });
      await withContext({ actor: 'a', correlationId: 'c' }, async () => {
        await prisma.patient.delete(where(0));
        // In a batch of Prisma's own the other elements wait for ever for one whose hook does not send it.
        if (engine === 'trigger') await prisma.patient.delete(where(1));
        else await prisma.$transaction([prisma.patient.delete(where(1)), prisma.patient.count()]);
        await prisma.$transaction((tx) => tx.patient.delete(where(2)));
        await Promise.all([
          prisma.patient.delete(where(3)),
          prisma.patient.update({ ...where(4), data: { phone: 'kept' } }),
        ]);
        await prisma.patient.deleteMany(where(5));
      });
      const events = await clinic.db.events();
      expect(
        events.map(({ event_type, actor, correlation_id, source }) => ({
          event_type,
          actor,
          correlation_id,
          source,
        })),
      ).toEqual(
        Array.from({ length: 6 }, () => ({
          event_type: 'patient.updated',
          actor: 'a',
          correlation_id: 'c',
          source: 'clinic',
        })),
      );
      const phones = Object.fromEntries(events.map(({ data }) => [data['patient_id'], data['phone']]));
      expect(ids.map((id) => phones[id])).toEqual([
        'deleted',
        'deleted',
        'deleted',
        'deleted',
        'kept',
        'deleted',
      ]);
      expect(await clinic.plain.patient.count()).toBe(6);
    });

    it('have none when they fail', async () => {
      const prisma = await soft();
      const absent = { where: { id: '00000000-0000-7000-8000-000000000000' } };
      await expect(prisma.patient.delete(absent)).rejects.toMatchObject({ code: 'P2025' });
      expect(await clinic.db.types()).toEqual([]);
    });
  });

  it('by a hook around a captured write have their events, whichever client they are sent with', async () => {
    let base: PrismaClient | undefined;
    const prisma: CapturedClient = await clinic.another({
      before: (client) => (base = client),
      after: (client) =>
        client.$extends({
          query: {
            patient: {
              async create({ args, query }) {
                await base?.patient.create({ data: person('by the base') });
                const created = await query(args);
                await client.patient.create({ data: person('by the outer') });
                return created;
              },
            },
          },
        }),
    });
    await prisma.patient.create({ data: person('alone') });
    await prisma.$transaction((tx) => tx.patient.create({ data: person('within') }));
    const names = (await clinic.db.said()).map(([, { name }]) => name);
    // What the outer client writes is committed before the transaction is.
    expect(new Set(names)).toEqual(new Set(['by the base', 'alone', 'by the outer', 'within']));
    expect(names).toHaveLength(6);
    expect(await clinic.plain.patient.count()).toBe(6);
  });

  it('by the client that capture was given have their events, in whatever form and company', async () => {
    let base: PrismaClient | undefined;
    const transactionOptions = { maxWait: 30_000, timeout: 30_000 };
    const prisma = await clinic.another({ transactionOptions, before: (client) => (base = client) });
    const client = base as unknown as PrismaClient;
    const { patientId: _, ...slot } = visit('');
    const { id } = await client.patient.create({ data: { ...person(), appointments: { create: slot } } });
    await client.$executeRaw`UPDATE patients SET phone = '1'`;
    await client.$transaction([client.patient.update({ where: { id }, data: { phone: '2' } })]);
    await client.$transaction((tx) => tx.patient.updateMany({ data: { phone: '3' } }));
    expect(await clinic.db.types()).toEqual([
      'patient.created',
      'appointment.booked',
      'patient.updated',
      'patient.updated',
      'patient.updated',
    ]);
    const many = Array.from({ length: 20 }, (_each, nr) => (nr % 2 === 0 ? client : prisma));
    await Promise.all(many.map((each) => each.patient.create({ data: person() })));
    await Promise.all(many.map((each) => each.$transaction([each.patient.create({ data: person() })])));
    // In one turn of the event loop and one transaction.
    await prisma.$transaction(async (tx) => {
      await Promise.all([
        tx.patient.create({ data: person() }),
        tx.$executeRaw`SELECT 1`,
        tx.auditEntry.count(),
        client.patient.create({ data: person() }),
      ]);
    });
    expect(await clinic.db.types()).toEqual(Array.from({ length: 42 }, () => 'patient.created'));
  });

  it('by that client in a transaction on a pool of one do not wait for a second connection', async () => {
    let base: PrismaClient | undefined;
    await clinic.another({ poolSize: 1, before: (client) => (base = client) });
    await (base as unknown as PrismaClient).$transaction((tx) => tx.patient.create({ data: person() }));
    expect(await clinic.db.types()).toEqual(['patient.created']);
  });

  describe('under withoutCapture', () => {
    it('have no events: single, bulk, nested, in transactions, raw, and what they cause in the database', async () => {
      const { prisma } = clinic;
      const { patientId: _, ...slot } = visit('');
      await clinic.db.run(`ALTER TABLE appointments DROP CONSTRAINT appointments_patient_id_fkey,
        ADD CONSTRAINT appointments_patient_id_fkey FOREIGN KEY (patient_id) REFERENCES patients ON DELETE CASCADE ON UPDATE CASCADE`);
      const { id } = await withoutCapture(() =>
        prisma.patient.create({ data: { ...person(), appointments: { create: slot } } }),
      );
      await withoutCapture(async () => {
        await prisma.patient.createMany({ data: [person(), person()] });
        await prisma.$executeRaw`UPDATE patients SET phone = '1'`;
        await prisma.$transaction([
          prisma.patient.updateMany({ data: { phone: '2' } }),
          prisma.patient.count(),
        ]);
        await prisma.$transaction((tx) => tx.patient.update({ where: { id }, data: { phone: '3' } }));
        await prisma.patient.delete({ where: { id } });
      });
      await prisma.$transaction(async (tx) => {
        await withoutCapture(() => tx.patient.updateMany({ data: { phone: '4' } }));
      });
      expect(await clinic.db.types()).toEqual([]);
      expect(await clinic.db.run('SELECT phone FROM patients')).toEqual([{ phone: '4' }, { phone: '4' }]);
    });

    it('are those alone that it surrounds', async () => {
      const { prisma } = clinic;
      const quiet = () => withoutCapture(() => prisma.patient.create({ data: person('quiet') }));
      const loud = () => prisma.patient.create({ data: person('loud') });
      const lazy = quiet();
      expect(await clinic.plain.patient.count()).toBe(0);
      await lazy;
      await quiet().then(() => loud());
      await prisma.$transaction([quiet(), loud(), quiet(), prisma.patient.count()]);
      await Promise.all([quiet(), loud(), quiet(), loud()]);
      await prisma.$transaction((tx) =>
        Promise.all([
          tx.patient.create({ data: person('loud') }),
          withoutCapture(() => tx.patient.create({ data: person('quiet') })),
          tx.patient.create({ data: person('loud') }),
        ]),
      );
      expect((await clinic.db.said()).map(([, { name }]) => name)).toEqual(
        Array.from({ length: 6 }, () => 'loud'),
      );
      const failing = prisma.$transaction([
        quiet(),
        prisma.patient.create({ data: { name: 'x', email: 'same' } }),
        prisma.patient.create({ data: { name: 'x', email: 'same' } }),
        quiet(),
      ]);
      await expect(failing).rejects.toMatchObject({ code: 'P2002', meta: { modelName: 'Patient' } });
      expect(await clinic.db.types()).toEqual([]);
      expect(await clinic.plain.patient.count({ where: { name: 'x' } })).toBe(0);
    });
  });
});

describe('where no triggers are installed', () => {
  let clinic: Clinic;
  let base: PrismaClient;
  let prisma: CapturedClient;

  beforeAll(async () => {
    clinic = await openClinic('middleware');
    await clinic.db.run(`DO $$ DECLARE f regprocedure; BEGIN
      FOR f IN SELECT oid FROM pg_proc
        WHERE pronamespace = 'signalbox'::regnamespace AND proname ~ '^(capture|refuse_truncate)_'
      LOOP EXECUTE format('DROP FUNCTION %s CASCADE', f); END LOOP; END $$`);
    // One connection: whoever waited for a second one would wait for ever.
    prisma = await clinic.another({ poolSize: 1, before: (client) => (base = client) });
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  it('writes past capture are refused before they write, with the ways out', async () => {
    const { id } = await prisma.patient.create({ data: person() });
    await clinic.db.events();
    const { patientId: _, ...slot } = visit('');
    const attempts: (() => PromiseLike<unknown>)[] = [
      () => base.patient.create({ data: person() }),
      () => base.patient.updateMany({ data: { phone: '1' } }),
      () => base.patient.update({ where: { id }, data: { appointments: { create: slot } } }),
      () => base.$executeRaw`DELETE FROM patients`,
      () => base.$transaction([base.auditEntry.count(), base.patient.delete({ where: { id } })]),
      () => base.$transaction((tx) => tx.patient.deleteMany()),
      () => base.$transaction((tx) => tx.$queryRaw`UPDATE "public"."patients" SET phone = 'x' RETURNING id`),
    ];
    for (const attempt of attempts) {
      await expect(attempt()).rejects.toMatchObject({
        name: 'CaptureError',
        message: expect.stringMatching(
          /client without capture.*after withCapture.*npx signalbox sync.*withoutCapture/,
        ) as string,
      });
    }
    expect(await clinic.db.run('SELECT phone FROM patients')).toEqual([{ phone: null }]);
    expect(await clinic.db.types()).toEqual([]);
  });

  it('what is captured, read, or meant to have no events passes', async () => {
    const { id } = await prisma.patient.create({ data: person() });
    expect(await base.patient.count()).toBe(1);
    expect(await base.auditEntry.deleteMany()).toEqual({ count: 0 });
    await withoutCapture(() => base.patient.update({ where: { id }, data: { phone: '1' } }));
    await prisma.patient.update({ where: { id }, data: { phone: '2' } });
    expect(await clinic.db.types()).toEqual(['patient.created', 'patient.updated']);
  });

  it('a soft delete applied before capture is refused, and one applied after it is captured', async () => {
    const { id } = await prisma.patient.create({ data: person() });
    const before = await clinic.another({ before: (client) => client.$extends(softDelete) });
    await expect(before.patient.delete({ where: { id } })).rejects.toMatchObject({ name: 'CaptureError' });
    const after = await clinic.another({ after: (client) => client.$extends(softDelete) });
    await after.patient.delete({ where: { id } });
    expect(await clinic.db.types()).toEqual(['patient.created', 'patient.updated']);
  });
});
