import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { waitFor } from '../../support/waitFor';
import { person, visit } from '../capture/support';
import { connect } from '../trigger/support';
import { type Clinic, engines, openClinic } from './support';

class Rollback extends Error {}
const absent = '00000000-0000-7000-8000-000000000000';

describe.each(engines)('a change and its events with the %s engine', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  const nothingLeft = async (): Promise<void> => {
    expect([await clinic.plain.patient.count(), await clinic.db.types()]).toEqual([0, []]);
  };

  it('are rows of one transaction', async () => {
    await clinic.prisma.patient.create({ data: person() });
    const same = `SELECT (SELECT xmin::text FROM patients) = (SELECT xmin::text FROM signalbox.outbox
      ORDER BY position DESC LIMIT 1) AS same`;
    expect(await clinic.db.run(same)).toEqual([{ same: true }]);
    expect(await clinic.db.types()).toEqual(['patient.created']);
  });

  it('go together when the caller’s transaction is rolled back, also by a batch that fails', async () => {
    const { prisma } = clinic;
    const attempt = prisma.$transaction(async (tx) => {
      await tx.patient.createMany({ data: [person(), person()] });
      await tx.patient.updateMany({ data: { phone: '1' } });
      throw new Rollback();
    });
    await expect(attempt).rejects.toBeInstanceOf(Rollback);
    const data = person();
    const batch = prisma.$transaction([prisma.patient.create({ data }), prisma.patient.create({ data })]);
    await expect(batch).rejects.toMatchObject({ code: 'P2002' });
    await nothingLeft();
  });

  it('go together when a nested transaction is rolled back to its savepoint', async () => {
    await clinic.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person('kept') });
      const inner = tx.$transaction(async (nested) => {
        await nested.patient.updateMany({ data: { name: 'lost' } });
        await nested.patient.create({ data: person('lost') });
        throw new Rollback();
      });
      await expect(inner).rejects.toBeInstanceOf(Rollback);
    });
    expect((await clinic.db.said()).map(([, { name }]) => name)).toEqual(['kept']);
  });

  it('go together when the transaction takes longer than it may', async () => {
    const attempt = clinic.prisma.$transaction(
      async (tx) => {
        await tx.patient.create({ data: person() });
        await tx.$queryRaw`SELECT 1 FROM pg_sleep(1)`;
        await tx.patient.create({ data: person() });
      },
      { timeout: 300 },
    );
    await expect(attempt).rejects.toMatchObject({ code: 'P2028' });
    await nothingLeft();
  });

  /** What ends the transaction of an operation that waits between two of its statements. */
  const cuts: [what: string, timeout: number, cut: (prisma: CapturedClient) => void][] = [
    ['the time-out comes', 300, () => undefined],
    ['the client is disconnected', 60_000, (prisma) => void prisma.$disconnect()],
  ];
  it.each(cuts)(
    'go together when %s between two statements of one operation',
    async (_what, timeout, cut) => {
      const { db } = clinic;
      const prisma = await clinic.another();
      const { id } = await prisma.patient.create({ data: person() });
      const { id: booked } = await prisma.appointment.create({ data: visit(id) });
      await db.events();
      const taken = person();
      const rival = await connect(clinic.url);
      await rival.run('BEGIN');
      await rival.run(`INSERT INTO patients (id, name, email, updated_at)
      VALUES ('${absent}', 'r', '${taken.email}', now())`);
      const cancel = { update: { where: { id: booked }, data: { status: 'CANCELLED' as const } } };
      const attempt = prisma.$transaction(
        async (tx) => tx.patient.update({ where: { id }, data: { ...taken, appointments: cancel } }),
        { timeout },
      );
      const failure = expect(attempt).rejects.toMatchObject({ code: expect.stringMatching(/P1018|P2028/) });
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
      await waitFor(async () => (await rival.run(waiting)).length > 0, { what: 'the operation to wait' });
      cut(prisma);
      await rival.run('SELECT pg_sleep(1)');
      await rival.run('ROLLBACK');
      await failure;
      await rival.client.end();
      const { status } = await clinic.plain.appointment.findUniqueOrThrow({ where: { id: booked } });
      expect([status, await db.types()]).toEqual(['BOOKED', []]);
    },
  );

  it('are gone when an error was caught and $transaction resolved, though Postgres rolled everything back', async () => {
    const data = person();
    const result = await clinic.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data });
      await tx.patient.create({ data }).catch(() => undefined);
      return 'resolved';
    });
    expect(result).toBe('resolved');
    await nothingLeft();
  });

  it('are both there when the caught error of a nested connect left the update applied', async () => {
    const { id: patientId } = await clinic.prisma.patient.create({ data: person() });
    const { id } = await clinic.prisma.appointment.create({ data: visit(patientId) });
    await clinic.db.events();
    await clinic.prisma.$transaction(async (tx) => {
      const data = { status: 'CANCELLED' as const, patient: { connect: { id: absent } } };
      await expect(tx.appointment.update({ where: { id }, data })).rejects.toMatchObject({ code: 'P2025' });
    });
    const { status } = await clinic.plain.appointment.findUniqueOrThrow({ where: { id } });
    expect(await clinic.db.types()).toEqual(status === 'CANCELLED' ? ['appointment.cancelled'] : []);
  });

  it('are both there when nobody awaited the write before the transaction’s end', async () => {
    const { id } = await clinic.prisma.patient.create({ data: person() });
    await clinic.db.events();
    await clinic.prisma.$transaction(async (tx) => {
      await tx.patient.update({ where: { id }, data: { name: 'awaited' } });
      tx.patient.update({ where: { id }, data: { phone: 'floating' } }).then(
        () => undefined,
        () => undefined,
      );
    });
    // A later write of the row waits until whatever floats has come to its end.
    await clinic.prisma.patient.update({ where: { id }, data: { clinicalNotes: 'later' } });
    const { phone } = await clinic.plain.patient.findUniqueOrThrow({ where: { id } });
    const phones = (await clinic.db.said()).map(([, data]) => data['phone']);
    expect(phones).toEqual(phone === 'floating' ? [null, 'floating', 'floating'] : [null, null]);
  });

  it('are none for an update that changes nothing', async () => {
    const { id, name } = await clinic.prisma.patient.create({ data: person() });
    await clinic.db.events();
    await clinic.prisma.patient.update({ where: { id }, data: { name } });
    await clinic.prisma.patient.updateMany({ data: { name, phone: null } });
    await clinic.prisma.patient.update({ where: { id }, data: {} });
    expect(await clinic.db.types()).toEqual([]);
  });

  describe('with a constraint that is checked at commit', () => {
    beforeAll(() =>
      clinic.db.run('ALTER TABLE patients ADD CONSTRAINT late UNIQUE (phone) DEFERRABLE INITIALLY DEFERRED'),
    );
    afterAll(() => clinic.db.run('ALTER TABLE patients DROP CONSTRAINT late'));

    it('go together when COMMIT fails, and no open transaction leaks into the pool', async () => {
      await clinic.plain.patient.create({ data: { ...person(), phone: '1' } });
      const prisma = await clinic.another({ poolSize: 1 });
      const create = () => prisma.patient.create({ data: { ...person(), phone: '1' } });
      const attempts = [
        () => create(),
        () => prisma.$transaction([create(), prisma.patient.count()]),
        () => prisma.$transaction((tx) => tx.patient.create({ data: { ...person(), phone: '1' } })),
      ];
      for (const attempt of attempts) {
        await expect(attempt()).rejects.toThrow();
        const open = await clinic.db.run(
          `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`,
        );
        expect(open).toEqual([]);
      }
      expect([await clinic.plain.patient.count(), await clinic.db.types()]).toEqual([1, []]);
      // The one connection is of use to the next.
      await prisma.patient.create({ data: person() });
      expect(await clinic.db.types()).toEqual(['patient.created']);
    });
  });
});
