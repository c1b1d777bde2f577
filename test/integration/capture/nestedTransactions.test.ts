import type { PrismaClient } from '../../../src/generated/prisma/client';
import type { CapturedTransaction } from '../../../src/healthcore/capturedClient';
import { readInternals } from '../../../src/outbox/prisma/internals';
import { waitFor } from '../../support/waitFor';
import { type Bench, openBench, person, visit } from './support';

/* Nested writes that fail half-way, that run beside others, and that others disturb: of the middleware alone. */

const absent = '00000000-0000-7000-8000-000000000000';

describe('nested writes', () => {
  let bench: Bench;
  let patientId: string;
  let appointmentId: string;

  /** The data of an appointment below a patient. */
  const slot = () => {
    const { patientId: _, ...rest } = visit(patientId);
    return rest;
  };
  const entry = () => ({
    eventId: crypto.randomUUID(),
    eventType: 't',
    aggregateType: 'a',
    aggregateId: '1',
    sequence: 1n,
    occurredAt: new Date(0),
    data: {},
  });
  /** Events since the beginning of the test. */
  const types = async (): Promise<string[]> => (await bench.types()).slice(2);
  const counts = async (): Promise<number[]> => [
    await bench.plain.patient.count(),
    await bench.plain.appointment.count(),
  ];
  const name = async (): Promise<string> =>
    (await bench.plain.patient.findUniqueOrThrow({ where: { id: patientId } })).name;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(async () => {
    await bench.clear();
    patientId = (await bench.prisma.patient.create({ data: person() })).id;
    appointmentId = (await bench.prisma.appointment.create({ data: visit(patientId) })).id;
  });
  afterAll(() => bench.close());

  describe('that fail half-way in a transaction, and are caught,', () => {
    const failures: [string, string, (tx: CapturedTransaction) => PromiseLike<unknown>][] = [
      [
        'whose own row is not there',
        'P2025',
        (tx) => tx.appointment.update({ where: { id: absent }, data: { patient: { create: person() } } }),
      ],
      [
        'whose row to link is not there',
        'P2018',
        (tx) =>
          tx.patient.update({
            where: { id: patientId },
            data: { name: 'lost', appointments: { create: slot(), connect: { id: absent } } },
          }),
      ],
      [
        'of a new row whose row to link is not there',
        'P2018',
        (tx) => tx.patient.create({ data: { ...person(), appointments: { connect: { id: absent } } } }),
      ],
      [
        'whose row to change is not there',
        'P2025',
        (tx) =>
          tx.patient.upsert({
            where: { id: patientId },
            create: person(),
            update: {
              appointments: { create: slot(), update: { where: { id: absent }, data: { reason: 'r' } } },
            },
          }),
      ],
      [
        'that would cut a link',
        'P2014',
        (tx) =>
          tx.patient.update({
            where: { id: patientId },
            data: { name: 'lost', appointments: { create: slot(), disconnect: { id: appointmentId } } },
          }),
      ],
    ];

    it.each(failures)('%s, leave neither rows nor events', async (_, code, write) => {
      await bench.prisma.$transaction(async (tx) => {
        await expect(write(tx)).rejects.toMatchObject({ code });
        await tx.patient.update({ where: { id: patientId }, data: { phone: '1' } });
      });
      expect([await counts(), await name(), await types()]).toEqual([[1, 1], 'Ada', ['patient.updated']]);
    });

    it('with an error of the database, end the transaction as without capture', async () => {
      await bench.prisma.$transaction(async (tx) => {
        await tx.patient.update({ where: { id: patientId }, data: { name: 'lost' } });
        const { id } = await tx.appointment.findUniqueOrThrow({ where: { id: appointmentId } });
        const create = [slot(), { ...slot(), id }];
        const write = tx.patient.create({ data: { ...person(), appointments: { create } } });
        await expect(write).rejects.toMatchObject({ code: 'P2002' });
        await expect(tx.patient.count()).rejects.toThrow(/current transaction is aborted/);
        // Its first statement is capture's own, and must not be told as a raw query's.
        const next = tx.patient.create({ data: { ...person(), appointments: { create: slot() } } });
        await expect(next).rejects.toMatchObject({ code: 'P2039' });
      });
      expect([await counts(), await name(), await types()]).toEqual([[1, 1], 'Ada', []]);
    });

    it('while another write is under way, make the transaction fail: neither can be undone alone', async () => {
      const attempt = bench.prisma.$transaction(async (tx) => {
        await Promise.all([
          tx.auditEntry.create({ data: entry() }),
          tx.appointment
            .update({ where: { id: absent }, data: { patient: { create: person() } } })
            .catch(() => undefined),
        ]);
      });
      await expect(attempt).rejects.toMatchObject({
        name: 'CaptureError',
        message: expect.stringContaining('failed half-way') as string,
      });
      expect([await counts(), await types(), await bench.plain.auditEntry.count()]).toEqual([[1, 1], [], 0]);
    });
  });

  it('keep other models’ writes of the transaction when they fail', async () => {
    await bench.prisma.$transaction(async (tx) => {
      await tx.auditEntry.create({ data: entry() });
      await tx.appointment
        .update({ where: { id: absent }, data: { patient: { create: person() } } })
        .catch(() => undefined);
    });
    expect([await counts(), await bench.plain.auditEntry.count()]).toEqual([[1, 1], 1]);
  });

  it('have their events when they run at the same time, or when nobody awaits them', async () => {
    await bench.prisma.$transaction(async (tx) => {
      const add = (): PromiseLike<unknown> =>
        tx.patient.update({ where: { id: patientId }, data: { appointments: { create: slot() } } });
      const move = tx.appointment.update({
        where: { id: appointmentId },
        data: { patient: { create: person() } },
      });
      await Promise.all([add(), move, add()]);
      // Prisma's promises do nothing until somebody waits for them.
      void add().then(() => undefined);
    });
    expect(await counts()).toEqual([2, 4]);
    expect((await types()).sort()).toEqual([
      'appointment.booked',
      'appointment.booked',
      'appointment.booked',
      'patient.created',
    ]);
  });

  it('lose their events when they are rolled back to a savepoint, and keep them otherwise', async () => {
    await bench.prisma.$transaction(async (tx) => {
      const inner = tx.$transaction(async (nested) => {
        await nested.patient.create({ data: { ...person(), appointments: { create: slot() } } });
        throw new Error('back');
      });
      await expect(inner).rejects.toThrow('back');
      await tx.$transaction(async (nested) => {
        await nested.patient
          .update({ where: { id: absent }, data: { appointments: { create: slot() } } })
          .catch(() => undefined);
        await nested.patient.create({ data: { ...person(), appointments: { create: slot() } } });
      });
    });
    expect([await counts(), await types()]).toEqual([
      [2, 2],
      ['patient.created', 'appointment.booked'],
    ]);
  });

  it('are told parents first when rows come, children first when they go', async () => {
    await bench.prisma.patient.update({
      where: { id: patientId },
      data: { name: 'new', appointments: { create: slot(), delete: { id: appointmentId } } },
    });
    await bench.prisma.appointment.create({ data: { ...slot(), patient: { create: person() } } });
    expect(await types()).toEqual([
      'appointment.deleted',
      'patient.updated',
      'appointment.booked',
      'patient.created',
      'appointment.booked',
    ]);
  });

  it('change a row once, however many statements Prisma makes of it', async () => {
    const { prisma } = bench;
    const where = { id: appointmentId };
    const change = { startsAt: new Date('2030-01-01T09:00:00.000Z') };
    const [first, second] = [
      { where, data: { ...change, status: 'CANCELLED' as const } },
      { where, data: change },
    ];
    await prisma.patient.update({
      where: { id: patientId },
      data: {
        appointments: { update: [first, second], updateMany: { where: {}, data: { status: 'COMPLETED' } } },
      },
    });
    expect(await types()).toEqual(['appointment.rescheduled', 'appointment.completed']);
    const again = { ...slot(), id: appointmentId };
    await prisma.patient.update({
      where: { id: patientId },
      data: { appointments: { create: slot(), deleteMany: {} } },
    });
    expect((await types()).slice(2)).toEqual(['appointment.deleted']);
    await prisma.patient.update({ where: { id: patientId }, data: { appointments: { create: again } } });
    expect((await types()).slice(3)).toEqual(['appointment.booked']);
  });

  it('show the caller what plain Prisma shows, whatever is chosen', async () => {
    const { prisma } = bench;
    const data = () => ({ ...person('Bea'), appointments: { create: slot() } });
    const practitioner = true;
    expect(await prisma.patient.create({ data: data(), select: { name: true } })).toEqual({ name: 'Bea' });
    const included = await prisma.patient.create({ data: data(), include: { appointments: true } });
    expect(included).toMatchObject({ name: 'Bea', appointments: [{ patientId: included.id }] });
    const update = { where: { id: patientId }, data: { appointments: { create: slot() } } };
    expect(await prisma.patient.update({ ...update, select: { _count: true } })).toEqual({
      _count: { appointments: 2 },
    });
    const followed = await prisma.patient
      .update({ where: { id: patientId }, data: { appointments: { deleteMany: {} } } })
      .appointments({ select: { practitioner } });
    expect(followed).toEqual([]);
    const omit = { id: true, email: true, createdAt: true, updatedAt: true } as const;
    expect(Object.keys(await prisma.patient.create({ data: data(), omit })).sort()).toEqual([
      'clinicalNotes',
      'dateOfBirth',
      'name',
      'phone',
    ]);
  });

  describe('are guarded against others:', () => {
    /** Does something between the locks and the write, below capture. */
    const between = (work: () => Promise<unknown>): PrismaClient =>
      bench.another({
        before: (client) => {
          const { original } = readInternals(client);
          const send = original._executeRequest;
          original._executeRequest = async function (request) {
            if (['create', 'update'].includes(request.action)) await work();
            return send.call(this, request);
          };
          return client;
        },
      }).prisma;
    const insertPatient = (email: string): Promise<unknown> =>
      bench.pool.query(
        `INSERT INTO patients (id, name, email, updated_at) VALUES (gen_random_uuid(), 'other', $1, now())`,
        [email],
      );

    it('nobody links a row to one whose linked rows are counted', async () => {
      const link = async (): Promise<void> => {
        const client = await bench.pool.connect();
        try {
          await client.query(`SET lock_timeout = '50ms'`);
          const inserted = client.query(
            `INSERT INTO appointments (id, patient_id, practitioner, starts_at, ends_at, updated_at)
             VALUES (gen_random_uuid(), $1, 'other', now(), now() + '1 h', now())`,
            [patientId],
          );
          await expect(inserted).rejects.toMatchObject({ code: '55P03' });
          await client.query('RESET lock_timeout');
        } finally {
          client.release();
        }
      };
      const data = { appointments: { create: slot() } };
      await between(link).patient.update({ where: { id: patientId }, data });
      expect(await types()).toEqual(['appointment.booked']);
    });

    it('a row that came meanwhile is not taken for a new one', async () => {
      const { email } = person();
      const connectOrCreate = { where: { email }, create: { name: 'new', email } };
      const create = between(() => insertPatient(email)).appointment.create({
        data: { ...slot(), patient: { connectOrCreate } },
      });
      await expect(create).rejects.toMatchObject({ code: 'P2002' });
      const captured = (await types()).filter((type) => type !== 'patient.created');
      expect([await counts(), captured]).toEqual([[2, 1], []]);
    });

    it('a row that takes the key of one that is being deleted is a new one', async () => {
      const { prisma, pool } = bench;
      const { id } = await prisma.appointment.create({ data: visit(patientId) });
      const rival = await pool.connect();
      try {
        await rival.query('BEGIN');
        await rival.query('DELETE FROM appointments WHERE id = $1', [id]);
        const before = (await types()).length;
        const data = { appointments: { create: { ...slot(), id } } };
        const creating = prisma.patient.update({ where: { id: patientId }, data });
        creating.then(undefined, () => undefined);
        await waitFor(
          async () => {
            const waiting = `SELECT FROM pg_stat_activity
              WHERE datname = current_database() AND wait_event_type = 'Lock'`;
            return (await pool.query(waiting)).rowCount === 1;
          },
          { what: 'the creation to meet the deletion' },
        );
        await rival.query('COMMIT');
        await creating;
        expect((await types()).slice(before)).toEqual(['appointment.deleted', 'appointment.booked']);
      } finally {
        rival.release();
      }
    });

    it('a row to link that came meanwhile is not there', async () => {
      const id = crypto.randomUUID();
      const come = async (): Promise<void> => {
        await bench.pool.query(
          `INSERT INTO appointments (id, patient_id, practitioner, starts_at, ends_at, updated_at)
           SELECT $1, id, 'other', now(), now() + '1 h', now() FROM patients WHERE id <> $2 LIMIT 1`,
          [id, patientId],
        );
      };
      await bench.prisma.patient.create({ data: person() });
      const attempt = between(come).patient.update({
        where: { id: patientId },
        data: { appointments: { connect: { id } } },
      });
      await expect(attempt).rejects.toMatchObject({ code: 'P2018' });
    });
  });

  describe('and extensions applied after capture:', () => {
    const extended = (hook: (args: never, query: (args: never) => Promise<unknown>) => Promise<unknown>) =>
      bench.prisma.$extends({
        query: { patient: { update: ({ args, query }) => hook(args as never, query as never) as never } },
      }) as unknown as typeof bench.prisma;
    const add = () => ({
      where: { id: patientId },
      data: { name: 'new', appointments: { create: [slot()] } },
    });
    const miss = () => ({ ...add(), data: { appointments: { create: slot(), connect: { id: absent } } } });
    type Args = ReturnType<typeof add>;

    it('one that adds nested writes has their events', async () => {
      const adding = extended((args: Args, query) =>
        query({ ...args, data: { name: 'new', appointments: { create: [slot(), slot()] } } } as never),
      );
      await adding.patient.update({ where: { id: patientId }, data: { name: 'new' } });
      expect([await counts(), await name(), await types()]).toEqual([
        [1, 3],
        'new',
        ['patient.updated', 'appointment.booked', 'appointment.booked'],
      ]);
    });

    it('one that sends them twice has the events of both', async () => {
      const twice = extended(async (args, query) => {
        await query(args);
        return query({ ...(args as Args), data: { appointments: { create: [slot()] } } } as never);
      });
      await twice.$transaction((tx) => tx.patient.update(add()));
      await twice.patient.update(add());
      expect([await counts(), await types()]).toEqual([
        [1, 5],
        [
          'patient.updated',
          'appointment.booked',
          'appointment.booked',
          'appointment.booked',
          'appointment.booked',
        ],
      ]);
    });

    it('one that hides a failure leaves nothing of it', async () => {
      const hiding = extended((args, query) => query(args).catch(() => 'hidden'));
      expect(await hiding.patient.update(miss())).toBe('hidden');
      expect(await hiding.$transaction((tx) => tx.patient.update(miss()))).toBe('hidden');
      expect([await counts(), await types()]).toEqual([[1, 1], []]);
    });

    it('one that throws after the answer does not lose the events', async () => {
      const throwing = extended(async (args, query) => {
        await query(args);
        throw new Error('thrown');
      });
      await expect(throwing.patient.update(add())).rejects.toThrow('thrown');
      // Plain Prisma has committed it too when the hook goes on.
      expect([await counts(), await types()]).toEqual([
        [1, 2],
        ['patient.updated', 'appointment.booked'],
      ]);
      await throwing.$transaction(async (tx) => {
        const again = { ...add(), data: { ...add().data, name: 'newer' } };
        await expect(tx.patient.update(again)).rejects.toThrow('thrown');
      });
      expect([await counts(), (await types()).slice(2)]).toEqual([
        [1, 3],
        ['patient.updated', 'appointment.booked'],
      ]);
    });

    it('one that throws before the answer leaves nothing of a write that fails', async () => {
      const hasty = extended(async (args, query) => {
        await Promise.race([query(args), Promise.resolve().then(() => bench.pool.query('SELECT 1'))]);
        throw new Error('too slow');
      });
      const attempt = hasty.$transaction(async (tx) => {
        await expect(tx.patient.update(miss())).rejects.toThrow();
      });
      await attempt;
      expect([await counts(), await name(), await types()]).toEqual([[1, 1], 'Ada', []]);
    });
  });
});
