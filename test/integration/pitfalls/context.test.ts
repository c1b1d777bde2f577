import { type EventContext, runWithContext } from '../../../src/outbox/context';
import { person } from '../capture/support';
import { type Clinic, engines, openClinic } from './support';

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
  afterAll(() => clinic.close());

  it.each(values)('holds %s as the other engine does', async (_what, given, stored) => {
    const context: EventContext = {
      correlationId: given,
      causationId: given,
      actor: given,
      traceparent: given,
    };
    const email = { aggregateId: 'a', data: { to: 'a@example.com', subject: 's', text: 't' } };
    await runWithContext(context, () =>
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
    const names = Array.from({ length: 24 }, (_, n) => `request-${n}`);
    await Promise.all(
      names.map((name, n) =>
        runWithContext({ correlationId: name }, async () => {
          const data = { ...person(), name };
          if (n % 2 === 0) await clinic.prisma.$transaction([clinic.prisma.patient.create({ data })]);
          else await clinic.prisma.$transaction((tx) => tx.patient.create({ data }));
          await clinic.prisma.$transaction([
            clinic.prisma.patient.findFirst(),
            clinic.prisma.patient.updateMany({ where: { name }, data: { phone: '1' } }),
          ]);
        }),
      ),
    );
    const events = await clinic.db.events();
    expect(events).toHaveLength(48);
    for (const { data, correlation_id } of events) expect(correlation_id).toBe(data['name']);
  });
});
