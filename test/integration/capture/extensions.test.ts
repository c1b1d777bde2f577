import { catalogue } from '../../../src/healthcore/catalogue';
import { Prisma, type PrismaClient } from '../../../src/generated/prisma/client';
import { CaptureError } from '../../../src/outbox/captureError';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { silentLogger } from '../../support/logger';
import { type Bench, openBench, person } from './support';

/** What somebody else's extension does to each operation. */
type Around = (call: {
  operation: string;
  args: { data?: Record<string, unknown>; where?: object; select?: object };
  query: (args: unknown) => Promise<unknown>;
}) => Promise<unknown>;

const around = (hook: Around) =>
  Prisma.defineExtension({ query: { patient: { $allOperations: hook as never } } });

const withLabel = Prisma.defineExtension({
  result: {
    patient: {
      label: { needs: { name: true, email: true }, compute: (row) => `${row.name} <${row.email}>` },
    },
  },
});

describe('extensions of others', () => {
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  beforeEach(() => bench.clear());
  afterAll(() => bench.close());

  /** The same extension once applied before and once after capture. */
  const bothWays: [string, (extension: ReturnType<typeof around>) => CapturedClient][] = [
    ['before', (extension) => bench.another({ before: (client) => client.$extends(extension) }).prisma],
    ['after', (extension) => bench.prisma.$extends(extension) as unknown as CapturedClient],
  ];

  describe.each(bothWays)('applied %s capture', (_when, apply) => {
    it('may change the data: the event has what was stored', async () => {
      const prisma = apply(
        around(({ args, query }) =>
          query(args.data ? { ...args, data: { ...args.data, name: 'changed' } } : args),
        ),
      );
      const { id } = await prisma.patient.create({ data: person('given') });
      await prisma.$transaction((tx) => tx.patient.update({ where: { id }, data: { phone: '1' } }));
      await prisma.$transaction([prisma.patient.update({ where: { id }, data: { phone: '2' } })]);
      const events = await bench.events();
      expect(events.map(({ data }) => [data['name'], data['phone']])).toEqual([
        ['changed', null],
        ['changed', '1'],
        ['changed', '2'],
      ]);
    });

    it('may narrow what is touched, and hide the result: the events tell what was written', async () => {
      await bench.prisma.patient.createMany({ data: [person('a'), person('b')] });
      const prisma = apply(
        around(async ({ operation, args, query }) => {
          await query(
            operation === 'updateMany'
              ? { ...args, where: { AND: [args.where ?? {}, { name: 'b' }] } }
              : args,
          );
          return { hidden: true };
        }),
      );
      expect(await prisma.patient.updateMany({ data: { phone: '1' } })).toEqual({ hidden: true });
      expect(await prisma.patient.create({ data: person('c') })).toEqual({ hidden: true });
      expect((await bench.events()).slice(2).map(({ data }) => [data['name'], data['phone']])).toEqual([
        ['b', '1'],
        ['c', null],
      ]);
    });

    it('may throw after the write: in a transaction that goes on, the event is there', async () => {
      const { id } = await bench.prisma.patient.create({ data: person() });
      const prisma = apply(
        around(async ({ args, query }) => {
          await query(args);
          throw new Error('afterwards');
        }),
      );
      await prisma.$transaction(async (tx) => {
        await expect(tx.patient.create({ data: person() })).rejects.toThrow('afterwards');
        await expect(tx.patient.update({ where: { id }, data: { name: 'n' } })).rejects.toThrow('afterwards');
        await expect(tx.patient.delete({ where: { id } })).rejects.toThrow('afterwards');
      });
      expect(await bench.plain.patient.count()).toBe(1);
      expect((await bench.types()).slice(1)).toEqual([
        'patient.created',
        'patient.updated',
        'patient.deleted',
      ]);
    });

    it('may throw before the write, or not write at all: there is no event', async () => {
      const refusing = apply(around(() => Promise.reject(new Error('refused'))));
      const skipping = apply(around(() => Promise.resolve('skipped')));
      await bench.prisma.patient.create({ data: person() });
      await refusing.$transaction((tx) => tx.patient.deleteMany().catch(() => undefined));
      await expect(refusing.patient.create({ data: person() })).rejects.toThrow('refused');
      expect(await skipping.patient.deleteMany()).toBe('skipped');
      expect(await bench.types()).toEqual(['patient.created']);
    });

    it('may send the write again after a failure', async () => {
      const taken = await bench.prisma.patient.create({ data: person() });
      const prisma = apply(
        around(async ({ args, query }) => {
          await query(args);
          return query({ ...args, data: { ...args.data, ...person('second') } });
        }),
      );
      await prisma.patient.create({ data: person('first') });
      expect((await bench.events()).map(({ data }) => data['name'])).toEqual([taken.name, 'first', 'second']);
    });

    it('may compute fields from ones that the caller did not ask for', async () => {
      const prisma = apply(withLabel as never) as unknown as {
        patient: Record<'create' | 'update', (args: unknown) => Promise<unknown>>;
      };
      const data = person('Ada');
      const created = await prisma.patient.create({ data, select: { label: true } });
      expect(JSON.parse(JSON.stringify(created))).toEqual({ label: `Ada <${data.email}>` });
      const updated = await prisma.patient.update({
        where: { email: data.email },
        data: { name: 'Bo' },
        omit: { name: true, email: true },
      });
      expect(updated).toMatchObject({ label: `Bo <${data.email}>` });
      expect(Object.keys(updated as object)).not.toContain('email');
      expect(await bench.types()).toEqual(['patient.created', 'patient.updated']);
    });
  });

  it('that begin captured writes around another one of the same transaction have their events in order', async () => {
    let current: CapturedClient | undefined;
    const rename = (name: string): Promise<unknown> | undefined =>
      current?.patient.updateMany({ data: { name } });
    const prisma = bench.prisma.$extends(
      around(async ({ operation, args, query }) => {
        if (operation !== 'create') return query(args);
        await rename('before');
        const created = await query(args);
        await rename('after');
        return created;
      }),
    ) as unknown as CapturedClient;
    await bench.prisma.patient.create({ data: person('first') });
    await prisma.$transaction((tx) => {
      current = tx as unknown as CapturedClient;
      return tx.patient.create({ data: person('second') });
    });
    expect((await bench.events()).map(({ data }) => data['name'])).toEqual([
      'first',
      'before',
      'second',
      'after',
      'after',
    ]);
  });

  it('that begin transactions past $transaction are refused', async () => {
    const begin = bench.prisma as unknown as {
      _transactionWithCallback(options: { callback: (tx: PrismaClient) => unknown }): Promise<unknown>;
    };
    const callback = (tx: PrismaClient): unknown => tx.patient.create({ data: person() });
    await expect(begin._transactionWithCallback({ callback })).rejects.toThrow(
      /begin it with \$transaction after withCapture/,
    );
    expect(await bench.plain.patient.count()).toBe(0);
  });

  it('capture is not applied twice', () => {
    const again = (): unknown =>
      withCapture(bench.prisma, { catalogue, source: 's', logger: silentLogger() });
    expect(again).toThrow(CaptureError);
  });

  it('a callback after commit that throws does not reach the caller', async () => {
    const options = {
      catalogue,
      source: 's',
      logger: silentLogger(),
      onCommitted: () => {
        throw new Error('nudge');
      },
    };
    const prisma = withCapture(bench.plain, options);
    await prisma.patient.create({ data: person() });
    await prisma.$transaction((tx) => tx.patient.create({ data: person() }));
    expect(await bench.types()).toHaveLength(2);
  });
});
