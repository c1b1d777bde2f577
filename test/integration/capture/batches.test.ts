import { CaptureError } from '../../../src/outbox/captureError';
import { type Bench, openBench, person, visit } from './support';

describe('batches: $transaction([…])', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  const patients = (): Promise<number> => bench.plain.patient.count();

  it('run in their order in one transaction, with all results', async () => {
    const { prisma } = bench;
    const { id } = await prisma.patient.create({ data: person('a') });
    const results = await prisma.$transaction([
      prisma.patient.update({ where: { id }, data: { name: 'b' }, select: { name: true } }),
      prisma.patient.count(),
      prisma.$queryRaw`SELECT name FROM patients`,
      prisma.patient.updateMany({ data: { name: 'c' } }),
      prisma.appointment.create({ data: visit(id) }).patient({ select: { name: true } }),
      prisma.$executeRaw`SELECT 1`,
      prisma.patient.findUniqueOrThrow({ where: { id } }).appointments({ select: { status: true } }),
    ]);
    expect(results).toEqual([
      { name: 'b' },
      1,
      [{ name: 'b' }],
      { count: 1 },
      { name: 'c' },
      1,
      [{ status: 'BOOKED' }],
    ]);
    expect((await bench.types()).slice(1)).toEqual([
      'patient.updated',
      'patient.updated',
      'appointment.booked',
    ]);
    const { rows } = await bench.pool.query('SELECT DISTINCT txid FROM signalbox.outbox');
    expect(rows).toHaveLength(2);
    expect(bench.commits()).toBe(2);
  });

  it('leave nothing when one element fails, with that element’s error', async () => {
    const { prisma } = bench;
    const data = person();
    const attempt = prisma.$transaction([prisma.patient.create({ data }), prisma.patient.create({ data })]);
    await expect(attempt).rejects.toMatchObject({ code: 'P2002', meta: { modelName: 'Patient' } });
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
  });

  it('run again when the same promises are given again, as after a conflict', async () => {
    const { prisma } = bench;
    const taken = await prisma.patient.create({ data: person() });
    const promises = [
      prisma.patient.create({ data: { ...person(), email: taken.email } }),
      prisma.patient.updateMany({ where: { id: { not: taken.id } }, data: { name: 'z' } }),
    ];
    await expect(prisma.$transaction(promises)).rejects.toMatchObject({ code: 'P2002' });
    await prisma.patient.delete({ where: { id: taken.id } });
    await prisma.$transaction(promises);
    expect((await bench.types()).slice(1)).toEqual(['patient.deleted', 'patient.created', 'patient.updated']);
  });

  it('take isolation level and time-outs, and refuse what Prisma refuses', async () => {
    const { prisma } = bench;
    const [, level] = await prisma.$transaction(
      [
        prisma.patient.create({ data: person() }),
        prisma.$queryRaw<{ level: string }[]>`SELECT current_setting('transaction_isolation') AS level`,
      ],
      { isolationLevel: 'RepeatableRead' },
    );
    expect(level).toEqual([{ level: 'repeatable read' }]);
    await expect(async () => prisma.$transaction([Promise.resolve(1)] as never)).rejects.toThrow(
      /need to be Prisma Client promises/,
    );
    expect(await prisma.$transaction([])).toEqual([]);
    expect(await prisma.$transaction([prisma.patient.count()])).toEqual([1]);
  });

  it('made through a transaction’s client are nested in it: with it or not at all, and as a whole', async () => {
    const data = person();
    const attempt = bench.prisma.$transaction(async (tx) => {
      await tx.$transaction([
        tx.patient.create({ data: person() }),
        bench.prisma.patient.create({ data: person() }),
      ]);
      throw new Error('outer');
    });
    await expect(attempt).rejects.toThrow('outer');
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
    await bench.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data });
      const failing = tx.$transaction([tx.patient.create({ data: person() }), tx.patient.create({ data })]);
      await expect(failing).rejects.toMatchObject({ code: 'P2002' });
      await tx.$transaction([tx.patient.updateMany({ data: { name: 'b' } }), tx.patient.count()]);
    });
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([
      1,
      ['patient.created', 'patient.updated'],
      1,
    ]);
  });

  it('are refused, not split, when an element comes from a client of another pool', async () => {
    const { prisma } = bench;
    const { plain: other } = bench.another();
    const mixed = [prisma.patient.create({ data: person() }), other.patient.create({ data: person() })];
    await expect(prisma.$transaction(mixed)).rejects.toBeInstanceOf(CaptureError);
    expect([await patients(), await bench.types()]).toEqual([0, []]);
  });

  it('may be begun with the client that capture extends, and have elements of both', async () => {
    const { prisma, plain } = bench;
    const [{ id }] = await plain.$transaction([
      prisma.patient.create({ data: person() }),
      plain.patient.create({ data: person() }),
    ]);
    await plain.$transaction([plain.patient.update({ where: { id }, data: { name: 'b' } })]);
    expect([await patients(), await bench.types()]).toEqual([
      2,
      ['patient.created', 'patient.created', 'patient.updated'],
    ]);
  });

  it('are refused, not split, when they are begun past $transaction', async () => {
    const { prisma } = bench;
    const promises = [prisma.patient.create({ data: person() }), prisma.patient.create({ data: person() })];
    const begin = prisma as unknown as { _transactionWithArray(batch: object): Promise<unknown> };
    await expect(begin._transactionWithArray({ promises })).rejects.toThrow(
      /part of a batch that was not begun with \$transaction/,
    );
    expect([await patients(), await bench.types()]).toEqual([0, []]);
  });
});
