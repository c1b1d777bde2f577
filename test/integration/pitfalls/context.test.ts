import { type EventContext, withContext } from '../../../src/outbox/context';
import { person } from '../capture/support';
import { type Clinic, engines, Gate, openClinic } from './support';

/** What each engine is given, and what both must store. */
const values: [what: string, given: string | undefined, stored: string | null][] = [
  ['an id', 'request-1', 'request-1'],
  ['nothing', undefined, null],
  ['an empty text', '', null],
  ['nothing but a NUL', '\0', null],
  ['a NUL within', 'a\0b', 'ab'],
  ['half a surrogate pair', 'a\uD800b', 'a\uFFFDb'],
  ['what looks like a comment’s end', `*/ it's \\ "odd" 100 % %41 /*`, `*/ it's \\ "odd" 100 % %41 /*`],
  ['an account of a Windows domain', 'CLINIC\\ada', 'CLINIC\\ada'],
  ['a guest of a tenant', 'ada_example.com#EXT#@clinic.example', 'ada_example.com#EXT#@clinic.example'],
  ['a distinguished name', "CN=Zo\u00EB O'Hara,O=Clinic", "CN=Zo\u00EB O'Hara,O=Clinic"],
  ['blanks', ' \t\r\n', ' \t\r\n'],
  ['a text of 5,000 letters', 'x'.repeat(5_000), 'x'.repeat(300)],
  ['a text of 5,000 emoji', '🩺'.repeat(5_000), '🩺'.repeat(25)],
];

describe.each(engines)('the context in events of the %s engine', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  it.each(values)('holds %s as the other engine does', async (_what, given, stored) => {
    const context: EventContext = {
      correlationId: given,
      causationId: given,
      actor: given,
      traceparent: given,
    };
    const email = { aggregateId: 'a', data: { to: 'a@example.com', subject: 's', text: 't' } };
    await withContext(context, () =>
      clinic.prisma.$transaction(async (tx) => {
        await tx.patient.create({ data: person() });
        await tx.$append('email.send', email);
      }),
    );
    const same = { correlation_id: stored, causation_id: stored, actor: stored, traceparent: stored };
    expect(await clinic.db.events()).toMatchObject([
      { event_type: 'patient.created', source: 'clinic', ...same },
      { event_type: 'email.send', source: 'clinic', ...same },
    ]);
  });

  it('is that of whoever began the transaction, when many begin in one turn of the event loop', async () => {
    const limits = { maxWait: 30_000, timeout: 30_000 };
    const prisma = await clinic.another({ transactionOptions: limits });
    const names = Array.from({ length: 24 }, (_, n) => `request-${n}`);
    await Promise.all(
      names.map((name, n) =>
        withContext({ correlationId: name }, async () => {
          const data = { ...person(), name };
          if (n % 2 === 0) await prisma.$transaction([prisma.patient.create({ data })]);
          else await prisma.$transaction((tx) => tx.patient.create({ data }));
          await prisma.$transaction([
            prisma.patient.findFirst(),
            prisma.patient.updateMany({ where: { name }, data: { phone: '1' } }),
          ]);
        }),
      ),
    );
    const events = await clinic.db.events();
    expect(events).toHaveLength(48);
    for (const { data, correlation_id } of events) expect(correlation_id).toBe(data['name']);
  });

  describe('is that of withContext', () => {
    const as = (actor: string) => ({ actor, correlationId: `c-${actor}` });
    const create = (name: string) => clinic.prisma.patient.create({ data: person(name) });
    const said = async (): Promise<unknown[]> =>
      (await clinic.db.events()).map(({ event_type, data, actor }) => [
        event_type,
        data['name'] ?? null,
        actor,
      ]);

    it('whose work returns one of Prisma’s lazy promises, however it is used', async () => {
      const lazy = withContext(as('a'), () => create('first'));
      expect(await clinic.plain.patient.count({ where: { name: 'first' } })).toBe(0);
      const { id } = await withContext(as('b'), () => lazy);
      await withContext(as('b'), () => create('second')).then(() => create('third'));
      await withContext(as('c'), () => create('fourth')).finally(() => undefined);
      await withContext(as('d'), () => create('never')).catch(() => undefined);
      const fluent = withContext(as('e'), () =>
        clinic.prisma.patient.update({ where: { id }, data: { name: 'fifth' } }),
      ) as unknown as { appointments(): PromiseLike<unknown> };
      expect(await fluent.appointments()).toEqual([]);
      await withContext(as('f'), () => clinic.prisma.$transaction([create('sixth')]));
      await withContext(as('g'), () => withContext(as('h'), () => create('seventh')));
      expect(await said()).toEqual([
        ['patient.created', 'first', 'a'],
        ['patient.created', 'second', 'b'],
        ['patient.created', 'third', null],
        ['patient.created', 'fourth', 'c'],
        ['patient.created', 'never', 'd'],
        ['patient.updated', 'fifth', 'e'],
        ['patient.created', 'sixth', 'f'],
        ['patient.created', 'seventh', 'h'],
      ]);
    });

    it('in which each element of a batch was made', async () => {
      await withContext(as('outer'), () =>
        clinic.prisma.$transaction([
          withContext(as('a'), () => create('first')),
          create('second'),
          withContext(as('b'), () => create('third')),
          clinic.prisma.patient.count(),
        ]),
      );
      expect(await said()).toEqual([
        ['patient.created', 'first', 'a'],
        ['patient.created', 'second', 'outer'],
        ['patient.created', 'third', 'b'],
      ]);
    });

    it('when writes of several transactions, or of one, are sent in one turn of the event loop', async () => {
      const gate = new Gate();
      const actors = ['a', 'b', 'c'];
      const waiting = actors.map((actor) =>
        withContext(as(actor), () =>
          clinic.prisma.$transaction(async (tx) => {
            await tx.patient.count();
            await gate.opened;
            await tx.patient.create({ data: person(actor) });
          }),
        ),
      );
      setTimeout(gate.open, 200);
      await Promise.all(waiting);
      await clinic.prisma.$transaction((tx) =>
        Promise.all(
          actors.map((actor) => withContext(as(actor), () => tx.patient.create({ data: person(actor) }))),
        ),
      );
      const events = await clinic.db.events();
      expect(events).toHaveLength(6);
      for (const { data, actor } of events) expect(actor).toBe(data['name']);
    });

    it('and the failure of one is not that of another which is sent in the same turn', async () => {
      const id = '00000000-0000-7000-8000-000000000000';
      await clinic.prisma.$transaction(async (tx) => {
        const [missed, count] = await Promise.allSettled([
          withContext(as('a'), () => tx.patient.findFirstOrThrow({ where: { id } })),
          withContext(as('b'), () => tx.patient.count()),
        ]);
        expect(missed).toMatchObject({ status: 'rejected', reason: { code: 'P2025' } });
        expect(count).toMatchObject({ status: 'fulfilled', value: 0 });
      });
    });

    it('of another copy of this module, as bundlers and hot reload make them', async () => {
      const copy = await new Promise<typeof withContext>((resolve) =>
        jest.isolateModules(() => {
          // oxlint-disable-next-line typescript/no-require-imports -- a second copy of the module
          resolve(
            (require('../../../src/outbox/context') as { withContext: typeof withContext }).withContext,
          );
        }),
      );
      expect(copy).not.toBe(withContext);
      await copy(as('a'), () => create('first'));
      expect(await said()).toEqual([['patient.created', 'first', 'a']]);
    });
  });
});
