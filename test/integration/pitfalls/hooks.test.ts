import type { PrismaClient } from '../../../src/generated/prisma/client';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { person, visit } from '../capture/support';
import { type Clinic, engines, openClinic } from './support';

type Work = (clients: { outer: CapturedClient; base: PrismaClient; id: string }) => Promise<unknown>;

/** What a hook around a write may do with other clients than the one of the write. */
const works: [what: string, work: Work, types: string[]][] = [
  ['reads', ({ outer, id }) => outer.patient.findUnique({ where: { id } }), []],
  ['reads by SQL', ({ outer }) => outer.$queryRaw`SELECT count(*) FROM patients`, []],
  ['writes a model without events', ({ outer }) => outer.auditEntry.deleteMany(), []],
  ['writes by SQL', ({ outer }) => outer.$executeRaw`UPDATE audit_log SET actor = 'x'`, []],
  ['creates another row', ({ outer }) => outer.patient.create({ data: person() }), ['patient.created']],
  [
    'changes the row itself',
    ({ outer, id }) =>
      outer.patient.update({ where: { id }, data: { phone: '9' }, include: { appointments: true } }),
    ['patient.updated'],
  ],
  [
    'changes it with the client that capture was given',
    ({ base, id }) => base.patient.update({ where: { id }, data: { phone: '8' } }),
    ['patient.updated'],
  ],
  [
    'begins a transaction',
    ({ outer, id }) =>
      outer.$transaction(async (tx) => {
        await tx.patient.update({ where: { id }, data: { phone: '7' } });
        await tx.appointment.create({ data: visit(id) });
      }),
    ['patient.updated', 'appointment.booked'],
  ],
  [
    'begins a batch',
    ({ outer, id }) =>
      outer.$transaction([
        outer.patient.count(),
        outer.patient.updateMany({ where: { id }, data: { phone: '6' } }),
      ]),
    ['patient.updated'],
  ],
];

/*
 * A write of capture's holds a connection and locks. A hook that were called meanwhile, and waited for a connection or a
 * lock, would wait for itself. So it is called before or after, as in plain Prisma, where a write holds nothing longer.
 */
describe.each(engines)('hooks around a write with the %s engine', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  /** With one connection for everything. */
  const hooked = async (
    order: 'before' | 'after',
    work: (clients: { outer: CapturedClient; base: PrismaClient }) => Promise<unknown>,
  ): Promise<CapturedClient> => {
    const clients = {} as { outer: CapturedClient; base: PrismaClient };
    const extend = (client: PrismaClient): PrismaClient =>
      client.$extends({
        query: {
          patient: {
            async $allOperations({ operation, args, query }) {
              if (operation !== 'update') return query(args);
              if (JSON.stringify(args).includes('"phone"')) return query(args);
              await work(clients);
              const result: unknown = await query(args);
              await work(clients);
              return result;
            },
          },
        },
      }) as unknown as PrismaClient;
    const client = await clinic.another({
      poolSize: 1,
      before: (given) => {
        clients.base = given;
        return order === 'before' ? extend(given) : given;
      },
      after: (given) => {
        clients.outer = given as CapturedClient;
        return order === 'after' ? extend(given) : given;
      },
    });
    return client;
  };

  describe.each(['before', 'after'] as const)('applied %s capture', (order) => {
    it.each(works)('never wait for themselves: one that %s', async (_what, work, types) => {
      const { id } = await clinic.prisma.patient.create({ data: person() });
      const prisma = await hooked(order, (clients) => work({ ...clients, id }));
      await clinic.db.events();
      const write = prisma.patient.update({
        where: { id },
        data: { name: 'new', appointments: { create: [] } },
        include: { appointments: true },
      });
      expect(await write).toMatchObject({ name: 'new' });
      const seen = await clinic.db.types();
      // A second change to the same value is none.
      expect(seen.filter((type) => type !== 'patient.updated')).toEqual(
        [...types, ...types].filter((type) => type !== 'patient.updated'),
      );
      expect(seen.filter((type) => type === 'patient.updated')).toHaveLength(
        types.includes('patient.updated') ? 2 : 1,
      );
    });

    it('many at a time do not take each other’s connections', async () => {
      const prisma = await hooked(order, ({ outer }) => outer.patient.create({ data: person() }));
      const rows = await clinic.prisma.patient.createManyAndReturn({
        data: Array.from({ length: 10 }, () => person()),
      });
      await clinic.db.events();
      await Promise.all(
        rows.map(({ id }) => prisma.patient.update({ where: { id }, data: { name: 'new' } })),
      );
      const types = await clinic.db.types();
      expect([types.filter((type) => type === 'patient.created').length, types.length]).toEqual([20, 30]);
    });
  });
});
