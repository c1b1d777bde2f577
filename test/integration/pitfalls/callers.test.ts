import { Prisma, type PrismaClient } from '../../../src/generated/prisma/client';
import { person, visit } from '../capture/support';
import { knowsAllCodes } from '../../support/prismaCodes';
import { type Clinic, engines, Gate, openClinic } from './support';

const absent = '00000000-0000-7000-8000-000000000000';

describe.each(engines)('what callers see with the %s engine', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  it('is the error of plain Prisma, by class and code', async () => {
    const { email, id } = await clinic.prisma.patient.create({ data: person() });
    await clinic.prisma.appointment.create({ data: visit(id) });
    const attempts: [code: string | undefined, (client: PrismaClient) => Promise<unknown>][] = [
      ['P2002', (client) => client.patient.create({ data: { name: 'x', email } })],
      ['P2002', (client) => client.patient.createMany({ data: [person(), { name: 'x', email }] })],
      ['P2025', (client) => client.patient.update({ where: { id: absent }, data: { name: 'x' } })],
      ['P2025', (client) => client.patient.delete({ where: { email: 'nobody' } })],
      ['P2003', (client) => client.appointment.create({ data: visit(absent) })],
      [knowsAllCodes ? 'P2003' : undefined, (client) => client.patient.delete({ where: { id } })],
      [undefined, (client) => client.patient.create({ data: { name: 7 } as never })],
    ];
    for (const [code, attempt] of attempts) {
      const [mine, theirs] = [await errorOf(attempt(clinic.prisma)), await errorOf(attempt(clinic.plain))];
      expect(mine).toEqual(theirs);
      expect(mine).toMatchObject({ code });
    }
  });

  it('is P2034 after a write conflict and after a deadlock', async () => {
    const { prisma } = clinic;
    const [a, b] = [
      await prisma.patient.create({ data: person() }),
      await prisma.patient.create({ data: person() }),
    ];
    const conflicting = prisma.$transaction(
      async (tx) => {
        await tx.patient.findMany();
        await prisma.patient.update({ where: { id: a.id }, data: { name: 'faster' } });
        await tx.patient.update({ where: { id: a.id }, data: { name: 'slower' } });
      },
      { isolationLevel: 'RepeatableRead' },
    );
    await expect(conflicting).rejects.toMatchObject({ code: 'P2034' });
    const [first, second] = [new Gate(), new Gate()];
    const crossing = (mine: string, theirs: string, ready: Gate, go: Gate): Promise<unknown> =>
      prisma.$transaction(
        async (tx) => {
          await tx.patient.update({ where: { id: mine }, data: { name: 'mine' } });
          ready.open();
          await go.opened;
          await tx.patient.update({ where: { id: theirs }, data: { name: 'theirs' } });
        },
        { timeout: 60_000 },
      );
    const outcomes = await Promise.allSettled([
      crossing(a.id, b.id, first, second),
      crossing(b.id, a.id, second, first),
    ]);
    const codes = outcomes.flatMap((each) =>
      each.status === 'rejected' ? [(each.reason as { code: string }).code] : [],
    );
    expect(codes).toEqual([knowsAllCodes ? 'P2034' : codes[0]]);
  });

  it('is the isolation level and the time limits that they asked for', async () => {
    const level = Prisma.sql`SELECT current_setting('transaction_isolation') AS level`;
    const options = { isolationLevel: 'Serializable' as const };
    const [, inBatch] = await clinic.prisma.$transaction(
      [clinic.prisma.patient.create({ data: person() }), clinic.prisma.$queryRaw(level)],
      options,
    );
    const within = await clinic.prisma.$transaction((tx) => tx.$queryRaw(level), options);
    expect([inBatch, within]).toEqual([[{ level: 'serializable' }], [{ level: 'serializable' }]]);
    const prisma = await clinic.another({ poolSize: 1 });
    await prisma.$transaction(async () => {
      const waiting = prisma.$transaction(async () => 1, { maxWait: 50 });
      await expect(waiting).rejects.toMatchObject({ code: 'P2028' });
    });
  });

  it('is that promises stay lazy, and run once however often they are awaited', async () => {
    const never = clinic.prisma.patient.create({ data: person('never') });
    const once = clinic.prisma.patient.create({ data: person('once') });
    expect(await once).toEqual(await once);
    expect((await clinic.db.said()).map(([, { name }]) => name)).toEqual(['once']);
    expect(await clinic.plain.patient.count()).toBe(1);
    void never;
  });

  it('is that Prisma gathers the look-ups of one turn into one statement, in a transaction too', async () => {
    const sent: string[] = [];
    const prisma = await clinic.another({
      log: [{ emit: 'event', level: 'query' }],
      before: (client) => {
        (client as PrismaClient<'query'>).$on('query', ({ query }) => sent.push(query));
        return client;
      },
    });
    const ids = [(await prisma.patient.create({ data: person() })).id, absent];
    const find = (client: Pick<PrismaClient, 'patient'>) =>
      Promise.all(ids.map((id) => client.patient.findUnique({ where: { id } })));
    for (const found of [await find(prisma), await prisma.$transaction((tx) => find(tx))])
      expect(found.map((row) => row?.id)).toEqual([ids[0], undefined]);
    expect(sent.filter((sql) => /^SELECT .* IN \(/.test(sql))).toHaveLength(2);
    expect(sent.filter((sql) => sql.startsWith('SELECT "'))).toHaveLength(2);
  });

  it('is that a write under way does not see what they do with their arguments', async () => {
    const data = { ...person('given'), dateOfBirth: new Date('2000-01-01') };
    const nested = { name: 'given' };
    const creating = clinic.prisma.patient.create({ data }).then((row) => row);
    await new Promise(setImmediate);
    data.name = 'changed';
    data.dateOfBirth.setUTCFullYear(1900);
    const { id } = await creating;
    const updating = clinic.prisma.patient
      .updateMany({ where: { AND: [{ id }] }, data: nested })
      .then((row) => row);
    await new Promise(setImmediate);
    nested.name = 'changed';
    await updating;
    const stored = await clinic.plain.patient.findUniqueOrThrow({ where: { id } });
    expect([stored.name, stored.dateOfBirth?.getUTCFullYear()]).toEqual(['given', 2000]);
  });

  it('is that Promise.all inside a transaction is part of it, each write with its event', async () => {
    const { id } = await clinic.prisma.patient.create({ data: person() });
    await clinic.db.events();
    const phones = ['1', '2', '3', '4'];
    await clinic.prisma.$transaction((tx) =>
      Promise.all(phones.map((phone) => tx.patient.update({ where: { id }, data: { phone } }))),
    );
    expect((await clinic.db.said()).map(([, { phone }]) => phone)).toEqual(phones);
    const failing = clinic.prisma.$transaction((tx) =>
      Promise.all([
        tx.patient.update({ where: { id }, data: { phone: '5' } }),
        tx.patient.update({ where: { id: absent }, data: { phone: '6' } }),
      ]),
    );
    await expect(failing).rejects.toMatchObject({ code: 'P2025' });
    expect(await clinic.db.types()).toEqual([]);
  });

  it('is what they asked for when select, omit or include hide the key', async () => {
    const { prisma } = clinic;
    const { email } = await prisma.patient.create({ data: person('a') });
    const where = { email };
    expect(await prisma.patient.update({ where, data: { name: 'b' }, select: { phone: true } })).toEqual({
      phone: null,
    });
    const omitted = await prisma.patient.update({ where, data: { name: 'c' }, omit: { id: true } });
    expect(Object.keys(omitted)).not.toContain('id');
    const included = { select: { appointments: true } };
    expect(await prisma.patient.update({ where, data: { name: 'd' }, ...included })).toEqual({
      appointments: [],
    });
    expect((await clinic.db.said()).map(([, { name }]) => name)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('is the result of plain Prisma for an update that sets nothing, whatever its limit', async () => {
    await clinic.prisma.patient.createMany({ data: [person(), person()] });
    await clinic.db.events();
    for (const limit of [undefined, 0, 1, 1_000, -1]) {
      for (const data of [{}, { name: undefined }]) {
        const args = { data, ...(limit === undefined ? {} : { limit }) };
        const attempts = (client: PrismaClient) => [
          () => client.patient.updateMany(args as never),
          async () => (await client.patient.updateManyAndReturn(args as never)).length,
        ];
        for (const [nr, mine] of attempts(clinic.prisma).entries())
          expect([args, await settled(mine)]).toEqual([args, await settled(attempts(clinic.plain)[nr])]);
      }
    }
    expect(await clinic.db.types()).toEqual([]);
  });

  it('is that the outer client inside a callback is on its own, as in Prisma', async () => {
    const attempt = clinic.prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person('inside') });
      await clinic.prisma.patient.create({ data: person('outside') });
      throw new Error('no');
    });
    await expect(attempt).rejects.toThrow('no');
    expect((await clinic.db.said()).map(([, { name }]) => name)).toEqual(['outside']);
  });

  const renaming = Prisma.defineExtension({
    query: {
      patient: {
        create: ({ args, query }) => query({ ...args, data: { ...args.data, name: 'by the extension' } }),
      },
    },
  });
  const computing = Prisma.defineExtension({
    result: { patient: { label: { needs: { name: true }, compute: ({ name }) => `<${name}>` } } },
  });
  const extend = (client: PrismaClient): unknown => client.$extends(renaming).$extends(computing);

  it.each([
    ['before', { before: extend }],
    ['after', { after: extend }],
  ])('is the same with extensions applied %s ours, in and out of transactions', async (_when, options) => {
    const prisma = await clinic.another(options);
    const created = await prisma.patient.create({ data: person(), select: { label: true } as never });
    await prisma.$transaction((tx) => tx.patient.create({ data: person() }));
    await prisma.$transaction([prisma.patient.create({ data: person() })]);
    expect(JSON.parse(JSON.stringify(created))).toEqual({ label: '<by the extension>' });
    expect((await clinic.db.said()).map(([type, { name }]) => [type, name])).toEqual(
      Array.from({ length: 3 }, () => ['patient.created', 'by the extension']),
    );
  });
});

async function settled(attempt: (() => Promise<unknown>) | undefined): Promise<unknown> {
  try {
    return await attempt?.();
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

async function errorOf(attempt: Promise<unknown>): Promise<object> {
  try {
    await attempt;
    return { resolved: true };
  } catch (error) {
    const { name, code, constructor } = error as Error & { code?: string };
    return { name, code, type: constructor.name };
  }
}
