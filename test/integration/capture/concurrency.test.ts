import { Client } from 'pg';
import type { CapturedTransaction } from '../../../src/healthcore/capturedClient';
import { effort } from '../../support/effort';
import { knowsAllCodes } from '../../support/prismaCodes';
import { type Bench, openBench, person, visit } from './support';

const writes = effort(1_000, 4_000);

describe('writes that race', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench({ poolSize: 8 });
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  const at = (minutes: number): Date => new Date(Date.UTC(2030, 0, 2, 0, minutes));

  it('for one row give images that chain as they were committed, in the order of the positions', async () => {
    const other = bench.another({ poolSize: 8 }).prisma;
    const { id: patientId } = await bench.prisma.patient.create({ data: person() });
    const { id, practitioner } = await bench.prisma.appointment.create({ data: visit(patientId) });
    const wheres = [{ id }, { practitioner }, { id, practitioner }] as const;
    await Promise.all(
      Array.from({ length: 40 }, async (_, nr) => {
        const client = nr % 2 ? bench.prisma : other;
        const data = { endsAt: at(nr + 1) };
        if (nr % 5 === 0) await client.appointment.updateMany({ where: wheres[1], data });
        else if (nr % 5 === 1)
          await client.$transaction((tx) => tx.appointment.update({ where: wheres[2], data }));
        else await client.appointment.update({ where: wheres[0], data });
      }),
    );
    const moves = (await bench.events()).slice(2).map(({ data }) => data);
    expect(moves).toHaveLength(40);
    for (const [nr, move] of moves.entries()) {
      if (nr > 0) expect(move['previous_ends_at']).toBe(moves[nr - 1]?.['ends_at']);
    }
    const { endsAt } = await bench.plain.appointment.findUniqueOrThrow({ where: { id } });
    expect(moves.at(-1)?.['ends_at']).toBe(endsAt.toISOString());
  });

  it('create no row under a key whose old row their snapshot still shows: that is a conflict', async () => {
    const { id: patientId } = await bench.prisma.patient.create({ data: person() });
    const { practitionerKey: _generated, ...old } = await bench.prisma.appointment.create({
      data: visit(patientId),
    });
    const { patientId: _, ...data } = { ...visit(patientId), id: old.id };
    const attempts = [
      (tx: CapturedTransaction) =>
        tx.appointment.create({ data: { ...data, patientId }, include: { patient: true } }),
      (tx: CapturedTransaction) =>
        tx.appointment.create({ data: { ...data, patient: { create: person() } } }),
      (tx: CapturedTransaction) =>
        tx.patient.update({ where: { id: patientId }, data: { appointments: { create: data } } }),
    ];
    for (const attempt of attempts) {
      await bench.prisma.appointment.upsert({ where: { id: old.id }, create: old, update: {} });
      const before = (await bench.events()).length;
      const transaction = bench.prisma.$transaction(
        async (tx) => {
          await tx.patient.count();
          await bench.prisma.appointment.delete({ where: { id: old.id } });
          await attempt(tx);
        },
        { isolationLevel: 'RepeatableRead' },
      );
      await expect(transaction).rejects.toMatchObject({ code: 'P2034' });
      expect((await bench.types()).slice(before)).toEqual(['appointment.deleted']);
    }
  });

  it('to upsert one absent row create it once and update it otherwise, all without an error', async () => {
    for (let round = 0; round < 5; round++) {
      await bench.clear();
      const data = person();
      await Promise.all(
        Array.from({ length: 12 }, async (_, nr) =>
          bench.prisma.patient.upsert({
            where: { email: data.email },
            create: data,
            update: { phone: String(nr) },
          }),
        ),
      );
      const types = await bench.types();
      expect(types[0]).toBe('patient.created');
      expect(types.slice(1)).toEqual(Array.from({ length: 11 }, () => 'patient.updated'));
      const { phone } = await bench.plain.patient.findFirstOrThrow();
      expect((await bench.events()).at(-1)?.data['phone']).toBe(phone);
    }
  });

  it('with a writer past Prisma take their image when it has committed, and leave a row alone that no longer fits', async () => {
    const { prisma, pool } = bench;
    const { id } = await prisma.patient.create({ data: person('a') });
    const writer = new Client({ connectionString: bench.url });
    await writer.connect();
    try {
      await writer.query('BEGIN');
      await writer.query(`UPDATE patients SET name = 'b' WHERE id = $1`, [id]);
      const blocked = Promise.all([
        prisma.patient.updateMany({ where: { name: 'a' }, data: { phone: '1' } }),
        prisma.patient.deleteMany({ where: { name: 'a' } }),
        prisma.patient
          .update({ where: { id, name: 'a' }, data: { phone: '2' } })
          .catch((error: { code: string }) => error.code),
        prisma.patient.update({ where: { id }, data: { phone: '3' } }),
      ]);
      await untilBlocked(pool, 4);
      await writer.query('COMMIT');
      expect(await blocked).toEqual([
        { count: 0 },
        { count: 0 },
        'P2025',
        expect.objectContaining({ name: 'b' }),
      ]);
    } finally {
      await writer.end();
    }
    const [, ...events] = await bench.events();
    expect(events.map(({ data }) => data)).toEqual([
      // The other writer's, told by the triggers: its statement bears no mark of ours.
      expect.objectContaining({ name: 'b', phone: null, changed_fields: ['name'] }),
      expect.objectContaining({ name: 'b', phone: '3', changed_fields: ['phone'] }),
    ]);
  });

  it('and lose to a write conflict or a deadlock say P2034, also when it is a lock of capture’s that meets it', async () => {
    const { prisma } = bench;
    const [a, b] = [
      await prisma.patient.create({ data: person() }),
      await prisma.patient.create({ data: person() }),
    ];
    const serial = prisma.$transaction(
      async (tx) => {
        await tx.patient.findMany();
        await prisma.patient.update({ where: { id: a.id }, data: { name: 'faster' } });
        await tx.patient.update({ where: { id: a.id }, data: { name: 'slower' } });
      },
      { isolationLevel: 'RepeatableRead' },
    );
    await expect(serial).rejects.toMatchObject({ code: 'P2034', name: 'PrismaClientKnownRequestError' });
    const [first, second] = [gate(), gate()];
    const crossing = (mine: string, theirs: string, ready: Gate, go: Gate): Promise<unknown> =>
      prisma.$transaction(
        async (tx) => {
          await tx.patient.update({ where: { id: mine }, data: { name: 'mine' } });
          ready.open();
          await go.opened;
          await tx.patient.update({ where: { id: theirs }, data: { name: 'theirs' } });
        },
        { timeout: 30_000 },
      );
    const outcomes = await Promise.allSettled([
      crossing(a.id, b.id, first, second),
      crossing(b.id, a.id, second, first),
    ]);
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(failures).toHaveLength(1);
    if (knowsAllCodes) expect(failures[0]).toMatchObject({ reason: { code: 'P2034' } });
    expect(await bench.types()).toHaveLength(5);
  });

  it('do not wait for those who only refer to the row', async () => {
    const { prisma } = bench;
    const { id } = await prisma.patient.create({ data: person() });
    await prisma.$transaction(async (tx) => {
      await tx.patient.update({ where: { id }, data: { name: 'held' } });
      await prisma.appointment.create({ data: visit(id) });
    });
    expect((await bench.types()).slice(1).sort()).toEqual(['appointment.booked', 'patient.updated']);
  });

  it(`${writes.toLocaleString('en')} at once on a pool of two succeed, as without capture`, async () => {
    const { prisma } = bench.another({ poolSize: 2, transactionOptions: { maxWait: 500, timeout: 1_000 } });
    const created = await Promise.allSettled(
      Array.from({ length: writes }, async () => prisma.patient.create({ data: person() })),
    );
    expect(created.filter(({ status }) => status === 'rejected')).toEqual([]);
    expect(await bench.types()).toHaveLength(writes);
    expect(bench.commits()).toBe(writes);
  }, 300_000);

  it('take no time limit or isolation level from the client’s options for interactive transactions', async () => {
    const { prisma } = bench.another({
      poolSize: 2,
      transactionOptions: { maxWait: 50, timeout: 50, isolationLevel: 'Serializable' },
    });
    const { id } = await prisma.patient.create({ data: person() });
    const writer = new Client({ connectionString: bench.url });
    await writer.connect();
    try {
      await writer.query('BEGIN');
      await writer.query('UPDATE patients SET name = $2 WHERE id = $1', [id, 'slow']);
      const blocked = prisma.patient.update({ where: { id }, data: { phone: '1' } });
      blocked.then(undefined, () => undefined);
      await untilBlocked(bench.pool, 1);
      await writer.query('SELECT pg_sleep(0.3)');
      await writer.query('COMMIT');
      expect(await blocked).toMatchObject({ name: 'slow', phone: '1' });
    } finally {
      await writer.end();
    }
  });
});

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

async function untilBlocked(pool: Bench['pool'], count: number): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if ((rowCount ?? 0) >= count) return;
  }
}
