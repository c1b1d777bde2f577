import { randomUUID } from 'node:crypto';
import { Prisma, type PrismaClient } from '../../../src/generated/prisma/client';
import { withContext } from '../../../src/outbox/context';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { person, visit } from '../capture/support';
import { type Clinic, engines, openClinic } from './support';

/** Each query in a batch of its own that names the tenant first: the extension of Prisma's documentation. */
const forTenant = (tenant: string) =>
  Prisma.defineExtension((prisma) =>
    prisma.$extends({
      query: {
        $allModels: {
          async $allOperations({ args, query }) {
            const [, result] = await prisma.$transaction([
              prisma.$executeRaw`SELECT set_config('app.tenant', ${tenant}, true)`,
              query(args),
            ]);
            return result;
          },
        },
      },
    }),
  );

describe.each(engines)('row-level security with the %s engine', (engine) => {
  let clinic: Clinic;
  const role = `tenant_${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    clinic = await openClinic(engine);
    const run = (sql: string): Promise<unknown> => clinic.db.run(sql);
    await run(`CREATE ROLE ${role} LOGIN`);
    await run(`GRANT USAGE ON SCHEMA signalbox TO ${role}`);
    await run(`GRANT INSERT ON signalbox.outbox TO ${role}`);
    await run(`GRANT USAGE ON SEQUENCE signalbox.outbox_position TO ${role}`);
    for (const table of ['patients', 'appointments']) {
      await run(`GRANT SELECT, INSERT, UPDATE, DELETE ON ${table} TO ${role}`);
      await run(`ALTER TABLE ${table} ADD tenant text NOT NULL`);
      await run(`ALTER TABLE ${table} ALTER tenant SET DEFAULT current_setting('app.tenant')`);
      await run(`ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`);
      // Without a tenant this is an error and not an empty table: nothing may look before the tenant is set.
      await run(`CREATE POLICY own ON ${table} USING (tenant = current_setting('app.tenant'))`);
    }
  });
  beforeEach(() => clinic.clear());
  afterAll(async () => {
    await clinic.db.run(`DROP OWNED BY ${role}`);
    await clinic.db.run(`DROP ROLE ${role}`);
    await clinic.close();
  });

  type Order = 'before' | 'after';
  /** A client of one tenant, with the extension applied before capture or after it. */
  const tenant = (name: string, order: Order): Promise<CapturedClient> =>
    clinic.another({
      role,
      poolSize: 2,
      [order]: (client: PrismaClient) => client.$extends(forTenant(name)),
    });
  const events = async (): Promise<unknown[]> =>
    (await clinic.db.events()).map(({ event_type, actor }) => [event_type, actor]);

  it.each<Order>(['before', 'after'])(
    'keeps tenants apart, reads and events included, applied %s',
    async (order) => {
      const [blue, red] = [await tenant('blue', order), await tenant('red', order)];
      const [mine, theirs] = await Promise.all([
        withContext({ actor: 'blue' }, () => blue.patient.create({ data: person('mine') })),
        withContext({ actor: 'red' }, () => red.patient.create({ data: person('theirs') })),
      ]);
      expect(new Set(await events())).toEqual(
        new Set([
          ['patient.created', 'blue'],
          ['patient.created', 'red'],
        ]),
      );
      expect((await blue.patient.findMany()).map(({ id }) => id)).toEqual([mine.id]);
      expect(await red.patient.findUnique({ where: { id: mine.id } })).toBeNull();
      expect([await red.patient.count(), await blue.patient.count()]).toEqual([1, 1]);

      const where = { id: theirs.id };
      await expect(blue.patient.update({ where, data: { phone: '1' } })).rejects.toMatchObject({
        code: 'P2025',
      });
      await expect(blue.patient.delete({ where })).rejects.toMatchObject({ code: 'P2025' });
      expect(await blue.patient.updateMany({ data: { name: 'changed' } })).toEqual({ count: 1 });
      expect(await clinic.db.said()).toEqual([
        ['patient.updated', expect.objectContaining({ patient_id: mine.id, name: 'changed' })],
      ]);
      const rows = await clinic.db.run('SELECT name, tenant FROM patients ORDER BY tenant');
      expect(rows).toEqual([
        { name: 'changed', tenant: 'blue' },
        { name: 'theirs', tenant: 'red' },
      ]);
    },
  );

  it.each<Order>(['before', 'after'])('covers every kind of write, applied %s', async (order) => {
    const prisma = await tenant('blue', order);
    const { patientId: _, ...slot } = visit('');
    const { id } = await prisma.patient.create({ data: { ...person(), appointments: { create: slot } } });
    await prisma.patient.createMany({ data: [person('b'), person('c')] });
    await prisma.patient.update({ where: { id }, data: { phone: '1' } });
    await prisma.patient.upsert({ where: { id }, create: person(), update: { phone: '2' } });
    await prisma.patient.upsert({ where: { email: 'none' }, create: person('d'), update: {} });
    await prisma.appointment.deleteMany();
    await prisma.patient.delete({ where: { id }, include: { appointments: true } });
    expect(await clinic.db.types()).toEqual([
      'patient.created',
      'appointment.booked',
      'patient.created',
      'patient.created',
      'patient.updated',
      'patient.updated',
      'patient.created',
      'appointment.deleted',
      'patient.deleted',
    ]);
    const failing = prisma.patient.createMany({
      data: [person('e'), { name: 'f', email: 'same' }, { name: 'g', email: 'same' }],
    });
    await expect(failing).rejects.toMatchObject({ code: 'P2002' });
    expect([await prisma.patient.count(), await clinic.db.types()]).toEqual([3, []]);
  });

  it('holds in a transaction of the caller that names the tenant itself', async () => {
    const prisma = await clinic.another({ role });
    const { id } = await prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT set_config('app.tenant', 'blue', true)`;
      const created = await tx.patient.create({ data: person() });
      return tx.patient.update({ where: { id: created.id }, data: { phone: '1' } });
    });
    expect(await clinic.db.types()).toEqual(['patient.created', 'patient.updated']);
    const theirs = prisma.$transaction(async (tx) => {
      await tx.$executeRaw`SELECT set_config('app.tenant', 'red', true)`;
      expect(await tx.patient.updateMany({ data: { phone: '2' } })).toEqual({ count: 0 });
      await tx.patient.delete({ where: { id } });
    });
    await expect(theirs).rejects.toMatchObject({ code: 'P2025' });
    expect(await clinic.db.types()).toEqual([]);
  });
});
