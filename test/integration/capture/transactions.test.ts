import { CaptureError } from '../../../src/outbox/captureError';
import type { CapturedClient, CapturedTransaction } from '../../../src/healthcore/capturedClient';
import { readInternals } from '../../../src/outbox/prisma/internals';
import { withContext } from '../../../src/outbox/context';
import { withoutCapture } from '../../../src/outbox/prisma/withoutCapture';
import { type Bench, openBench, person, visit } from './support';

class Rollback extends Error {}

describe('writes in a transaction of the caller', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  const patients = (): Promise<number> => bench.plain.patient.count();

  it('commit with their events, and the commit is told once', async () => {
    await bench.prisma.$transaction(async (tx) => {
      const { id } = await tx.patient.create({ data: person() });
      await tx.patient.update({ where: { id }, data: { name: 'b' } });
      await tx.appointment.create({ data: visit(id) });
      expect(await bench.types()).toEqual([]);
      expect(bench.commits()).toBe(0);
    });
    expect(await bench.types()).toEqual(['patient.created', 'patient.updated', 'appointment.booked']);
    expect(bench.commits()).toBe(1);
  });

  it('leave neither row nor event after a rollback', async () => {
    const attempt = bench.prisma.$transaction(async (tx) => {
      await tx.patient.createMany({ data: [person(), person()] });
      await tx.patient.create({ data: person() });
      throw new Rollback();
    });
    await expect(attempt).rejects.toBeInstanceOf(Rollback);
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
  });

  it('leave nothing when the transaction times out', async () => {
    const attempt = bench.prisma.$transaction(
      async (tx) => {
        await tx.patient.create({ data: person() });
        await tx.$queryRaw`SELECT 1 FROM pg_sleep(1)`;
        await tx.patient.create({ data: person() });
      },
      { timeout: 200 },
    );
    await expect(attempt).rejects.toMatchObject({ code: 'P2028' });
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
  });

  it('keep the limits and the isolation level that the caller asked for', async () => {
    const level = await bench.prisma.$transaction(
      (tx) => tx.$queryRaw<{ level: string }[]>`SELECT current_setting('transaction_isolation') AS level`,
      { isolationLevel: 'Serializable' },
    );
    expect(level).toEqual([{ level: 'serializable' }]);
    const { prisma } = bench.another({ poolSize: 1 });
    await prisma.$transaction(async () => {
      await expect(prisma.$transaction(async () => 1, { maxWait: 50 })).rejects.toMatchObject({
        code: 'P2028',
      });
    });
  });

  it('are rolled back silently after a caught database error, as without capture, and no commit is told', async () => {
    const data = person();
    const result = await bench.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data });
      await tx.patient.create({ data }).catch(() => undefined);
      return 'resolved';
    });
    expect(result).toBe('resolved');
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
  });

  it('are rolled back silently after a caught error of a read, and no commit is told', async () => {
    await bench.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person() });
      await tx.$queryRaw`SELECT 1 / 0`.catch(() => undefined);
    });
    expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
  });

  it('go on after a caught error that was not the database’s', async () => {
    const absent = '00000000-0000-7000-8000-000000000000';
    const { id } = await bench.prisma.patient.create({ data: person() });
    const appointment = await bench.prisma.appointment.create({ data: visit(id) });
    await bench.prisma.$transaction(async (tx) => {
      const where = { id: appointment.id };
      const connect = { patient: { connect: { id: absent } } };
      const failing = tx.appointment.update({ where, data: { status: 'CANCELLED', ...connect } });
      await expect(failing).rejects.toMatchObject({ code: 'P2025' });
      await expect(tx.patient.delete({ where: { id: absent } })).rejects.toMatchObject({ code: 'P2025' });
      await tx.patient.update({ where: { id }, data: { name: 'on' } });
    });
    const { status } = await bench.plain.appointment.findUniqueOrThrow({ where: { id: appointment.id } });
    const types = (await bench.types()).slice(2);
    expect(types).toEqual(
      status === 'CANCELLED' ? ['appointment.cancelled', 'patient.updated'] : ['patient.updated'],
    );
    expect(bench.commits()).toBe(3);
  });

  it('have their events when nobody awaits them', async () => {
    const { id } = await bench.prisma.patient.create({ data: person() });
    const outcomes: string[] = [];
    await bench.prisma.$transaction(async (tx) => {
      await tx.patient.update({ where: { id }, data: { name: 'awaited' } });
      void Promise.all([
        tx.patient.update({ where: { id }, data: { phone: '1' } }),
        tx.patient.update({ where: { id }, data: { phone: '2' } }),
      ]).then(
        () => outcomes.push('written'),
        () => outcomes.push('refused'),
      );
    });
    expect(outcomes).toEqual(['written']);
    expect((await bench.plain.patient.findUniqueOrThrow({ where: { id } })).phone).toBe('2');
    expect((await bench.events()).slice(1).map(({ data }) => data['phone'])).toEqual([null, '1', '2']);
  });

  it('are refused when they begin after the end, as by Prisma', async () => {
    let late: CapturedTransaction | undefined;
    await bench.prisma.$transaction(async (tx) => {
      late = tx;
    });
    await expect(late?.patient.create({ data: person() })).rejects.toMatchObject({ code: 'P2028' });
    await expect(late?.$append('email.send', { aggregateId: 'a', data: email })).rejects.toMatchObject({
      code: 'P2028',
    });
    expect(await patients()).toBe(0);
  });

  it('that run side by side each see the row as the one before left it', async () => {
    const { id } = await bench.prisma.patient.create({ data: person() });
    const appointment = await bench.prisma.appointment.create({ data: visit(id) });
    const where = { id: appointment.id };
    const at = (minutes: number): Date => new Date(Date.UTC(2030, 0, 1, 11, minutes));
    await bench.prisma.$transaction((tx) =>
      Promise.all([1, 2, 3, 4].map((nr) => tx.appointment.update({ where, data: { endsAt: at(nr) } }))),
    );
    const moved = (await bench.events())
      .slice(2)
      .map(({ data }) => [data['previous_ends_at'], data['ends_at']]);
    const ends = [appointment.endsAt, at(1), at(2), at(3), at(4)].map((date) => date.toISOString());
    expect(moved).toEqual([1, 2, 3, 4].map((nr) => [ends[nr - 1], ends[nr]]));
  });

  it('outside it, begun from within, are on their own as in Prisma', async () => {
    const attempt = bench.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person('in') });
      await bench.prisma.patient.create({ data: person('out') });
      throw new Rollback();
    });
    await expect(attempt).rejects.toBeInstanceOf(Rollback);
    expect((await bench.events()).map(({ data }) => data['name'])).toEqual(['out']);
    expect(await patients()).toBe(1);
  });

  it('stay lazy, and run once however often they are awaited', async () => {
    const never = bench.prisma.patient.create({ data: person() });
    const once = bench.prisma.patient.create({ data: person() });
    expect(await once).toEqual(await once);
    expect(await patients()).toBe(1);
    expect(await bench.types()).toEqual(['patient.created']);
    void never;
  });

  describe('with a constraint that is checked at commit', () => {
    beforeAll(() =>
      bench.pool.query(
        'ALTER TABLE patients ADD CONSTRAINT late UNIQUE (phone) DEFERRABLE INITIALLY DEFERRED',
      ),
    );
    afterAll(() => bench.pool.query('ALTER TABLE patients DROP CONSTRAINT late'));

    it('leave nothing when the commit fails, no commit is told and no connection is left in a transaction', async () => {
      await withoutCapture(() => bench.prisma.patient.create({ data: { ...person(), phone: '1' } }));
      const { prisma, plain } = bench.another({ poolSize: 1 });
      await expect(
        prisma.$transaction((tx) => tx.patient.create({ data: { ...person(), phone: '1' } })),
      ).rejects.toThrow();
      await expect(
        prisma.$transaction([prisma.patient.create({ data: { ...person(), phone: '1' } })]),
      ).rejects.toThrow();
      expect([await patients(), await bench.types(), bench.commits()]).toEqual([1, [], 0]);
      const idle = await plain.$queryRaw`SELECT pg_current_xact_id_if_assigned() IS NULL AS idle`;
      expect(idle).toEqual([{ idle: true }]);
    });

    it('tell a commit that fails behind a single write as the write’s own failure', async () => {
      await withoutCapture(() => bench.prisma.patient.create({ data: { ...person(), phone: '1' } }));
      const failing = bench.prisma.patient.create({ data: { ...person(), phone: '1' } });
      await expect(failing).rejects.toMatchObject({ code: 'P2002', name: 'PrismaClientKnownRequestError' });
      expect([await patients(), await bench.types(), bench.commits()]).toEqual([1, [], 0]);
    });
  });

  describe('with a stored value that Prisma can’t read', () => {
    beforeAll(() => bench.pool.query('ALTER TABLE patients ALTER COLUMN phone TYPE text[] USING NULL'));
    afterAll(() => bench.pool.query('ALTER TABLE patients ALTER COLUMN phone TYPE text USING NULL'));

    it('can’t be committed when a create was half done and its error was caught', async () => {
      let caught: unknown;
      const attempt = bench.prisma.$transaction(async (tx) => {
        caught = await tx.patient
          .create({ data: { ...person(), phone: '{1}' } })
          .catch((error: unknown) => error);
        expect(await tx.$queryRaw`SELECT count(*)::int AS rows FROM patients`).toEqual([{ rows: 1 }]);
      });
      await expect(attempt).rejects.toThrow(/rolled back: a write in it failed half-way/);
      expect(caught).toBeInstanceOf(Error);
      expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
    });
  });

  describe('nested, with savepoints', () => {
    it('keep what the outer one did and forget what the inner one rolled back', async () => {
      await bench.prisma.$transaction(async (tx) => {
        const { id } = await tx.patient.create({ data: person('outer') });
        const inner = tx.$transaction(async (nested) => {
          await nested.patient.update({ where: { id }, data: { name: 'inner' } });
          await nested.patient.create({ data: person() });
          throw new Rollback();
        });
        await expect(inner).rejects.toBeInstanceOf(Rollback);
        await tx.$transaction(async (nested) =>
          nested.patient.update({ where: { id }, data: { name: 'kept' } }),
        );
      });
      expect((await bench.events()).map(({ data }) => data['name'])).toEqual(['outer', 'kept']);
      expect(await patients()).toBe(1);
    });

    it('tell no commit when all events were in what was rolled back', async () => {
      await bench.prisma.$transaction(async (tx) => {
        await tx
          .$transaction(async (nested) => {
            await nested.patient.create({ data: person() });
            throw new Rollback();
          })
          .catch(() => undefined);
      });
      expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
    });

    it('go on after a database error that the inner one rolled back', async () => {
      const data = person();
      await bench.prisma.$transaction(async (tx) => {
        await tx.patient.create({ data });
        await tx.$transaction(async (nested) => nested.patient.create({ data })).catch(() => undefined);
        await tx.patient.create({ data: person() });
      });
      expect([await patients(), await bench.types(), bench.commits()]).toEqual([
        2,
        ['patient.created', 'patient.created'],
        1,
      ]);
    });

    it('never come between a write and its events', async () => {
      const { id } = await bench.prisma.patient.create({ data: person('0') });
      for (let round = 1; round <= 10; round++) {
        await bench.prisma.$transaction(async (tx) => {
          const failing = tx.$transaction(async (nested) => {
            void nested.patient.update({ where: { id }, data: { phone: `p${round}` } }).then(
              () => undefined,
              () => undefined,
            );
            throw new Rollback();
          });
          const writes = [1, 2, 3].map((nr) =>
            tx.patient.update({ where: { id }, data: { name: `${round}.${nr}` } }),
          );
          await Promise.allSettled([writes[0], failing, writes[1], writes[2]]);
        });
      }
      const events = await bench.events();
      const row = await bench.plain.patient.findUniqueOrThrow({ where: { id } });
      expect(events.at(-1)?.data).toMatchObject({ name: row.name, phone: row.phone });
      expect(events.filter(({ data }) => data['phone'] !== null)).toEqual([]);
    });
  });

  const email = { to: 'a@example.test', subject: 's', text: 't' };

  describe('with explicit events', () => {
    it('append them with the request’s context', async () => {
      const context = { correlationId: 'c1', causationId: 'e0', actor: 'u1', traceparent: '00-a-b-01' };
      const { eventId } = await withContext(context, () =>
        bench.prisma.$transaction(async (tx) => {
          await tx.patient.create({ data: person() });
          return tx.$append('email.send', { aggregateId: 'mail-1', data: email });
        }),
      );
      const events = await bench.events();
      const carried = { correlation_id: 'c1', causation_id: 'e0', actor: 'u1', traceparent: '00-a-b-01' };
      expect(events[0]).toMatchObject({ event_type: 'patient.created', ...carried });
      expect(events[1]).toMatchObject({
        event_id: eventId,
        event_type: 'email.send',
        aggregate_type: 'email',
        aggregate_id: 'mail-1',
        data: email,
        ...carried,
      });
    });

    it('wait for each other’s transaction, so that their order is that of the commits', async () => {
      let second: Promise<unknown> = Promise.resolve();
      await bench.prisma.$transaction(async (tx) => {
        await tx.$append('email.send', { aggregateId: 'same', data: { ...email, text: 'first' } });
        second = bench.prisma.$transaction((other) =>
          other.$append('email.send', { aggregateId: 'same', data: { ...email, text: 'second' } }),
        );
        await waitUntilBlocked(bench);
        expect(await bench.events()).toEqual([]);
      });
      await second;
      expect((await bench.events()).map(({ data }) => data['text'])).toEqual(['first', 'second']);
    });

    it('refuse data that does not fit, without showing it, and appends outside a transaction', async () => {
      const bad = { to: 'not an address', subject: '', text: 't' };
      await bench.prisma.$transaction(async (tx) => {
        const refused = await tx
          .$append('email.send', { aggregateId: 'a', data: bad })
          .catch((error: Error) => error);
        expect(refused).toBeInstanceOf(CaptureError);
        expect((refused as Error).message).toMatch(/to: invalid_format.*subject: too_small/);
        expect((refused as Error).message).not.toContain('not an address');
      });
      await expect(bench.prisma.$append('email.send', { aggregateId: 'a', data: email })).rejects.toThrow(
        /needs a transaction: prisma\.\$transaction/,
      );
      expect(await bench.events()).toEqual([]);
    });
  });

  describe('whose events can’t be appended', () => {
    /** A client on whose way out the appending of events fails, without a word from the database or with one. */
    const failing = (how: 'unsent' | 'refused'): CapturedClient =>
      bench.another({
        before: (client) => {
          const { original } = readInternals(client);
          const send = original._executeRequest;
          original._executeRequest = async function (request) {
            const sql = request.model === undefined ? String((request.args as unknown[])[0]) : '';
            if (!sql.startsWith('INSERT INTO signalbox.outbox')) return send.call(this, request);
            if (how === 'unsent') throw new Error('not sent');
            return send.call(this, {
              ...request,
              args: ['INSERT INTO signalbox.outbox (lane) VALUES (NULL)'],
            });
          };
          return client;
        },
      }).prisma;

    it.each(['unsent', 'refused'] as const)(
      'are not committed, though the caller catches the error (%s)',
      async (how) => {
        const prisma = failing(how);
        await expect(prisma.patient.create({ data: person() })).rejects.toThrow();
        const attempt = prisma.$transaction(async (tx) => {
          await tx.patient.create({ data: person() }).catch(() => undefined);
          return 'committed';
        });
        await expect(attempt).rejects.toThrow(how === 'unsent' ? 'not sent' : /null value/i);
        const batch = prisma.$transaction([
          prisma.patient.create({ data: person() }),
          prisma.patient.create({ data: person() }),
        ]);
        await expect(batch).rejects.toThrow();
        expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
      },
    );

    it('are undone with their savepoint, and the rest is committed', async () => {
      const prisma = failing('unsent');
      await prisma.$transaction(async (tx) => {
        const nested = tx.$transaction(async (inner) => {
          await inner.patient.create({ data: person() }).catch(() => undefined);
        });
        await expect(nested).rejects.toThrow('not sent');
        await tx.auditEntry.count();
      });
      const late = prisma.$transaction(async (tx) => {
        await tx.patient.create({ data: person() }).catch(() => undefined);
        await tx.$transaction((inner) => inner.patient.count());
      });
      await expect(late).rejects.toThrow('not sent');
      expect([await patients(), await bench.types(), bench.commits()]).toEqual([0, [], 0]);
    });
  });
});

async function waitUntilBlocked({ pool }: Bench): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query(
      `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    );
    if (rowCount) return;
  }
}
