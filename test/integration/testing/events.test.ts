import { withContext } from '../../../src/outbox/context';
import { captureEvents } from '../../../src/testing/captureEvents';
import { nextEvent } from '../../../src/testing/nextEvent';
import { person } from '../capture/support';
import { type Clinic, engines, Gate, openClinic } from '../pitfalls/support';

describe.each(engines)('tests of an application, with the %s engine,', (engine) => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic(engine);
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  it('get the events of a piece of work as consumers will: in order, with their context', async () => {
    const { prisma } = clinic;
    await prisma.patient.create({ data: person() });
    const given = person();
    const events = await captureEvents(prisma, () =>
      withContext({ correlationId: 'request-7', actor: 'account-1' }, async () => {
        const { id } = await prisma.patient.create({ data: given });
        await prisma.patient.delete({ where: { id } });
      }),
    );
    expect(events).toMatchObject([
      { event_type: 'patient.created', data: { name: given.name, email: given.email } },
      { event_type: 'patient.deleted' },
    ]);
    expect(events.map(({ metadata }) => metadata)).toMatchObject(
      [1, 2].map(() => ({ source: 'clinic', correlation_id: 'request-7', actor: 'account-1' })),
    );
    expect(events[0]?.timestamp).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('get none of what was rolled back, and the error of work that fails', async () => {
    const { prisma } = clinic;
    const failing = prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: person() });
      throw new Error('changed my mind');
    });
    const settled = async (): Promise<unknown> => failing.catch(() => undefined);
    expect(await captureEvents(prisma, settled)).toEqual([]);
    const work = async (): Promise<never> => Promise.reject(new Error('work failed'));
    await expect(captureEvents(prisma, work)).rejects.toThrow('work failed');
  });

  it('wait for what is done in the background, also by a transaction that was open before', async () => {
    const { prisma } = clinic;
    const [begun, go] = [new Gate(), new Gate()];
    const other = prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: { ...person(), name: 'Before' } });
      begun.open();
      await go.opened;
      await tx.patient.create({ data: { ...person(), name: 'After' } });
    });
    await begun.opened;
    const event = await nextEvent(prisma, 'patient.created', () => go.open());
    expect(event.data).toMatchObject({ name: 'After' });
    await other;
  });

  it('are told what came instead of an event that does not come', async () => {
    const { prisma } = clinic;
    const waiting = nextEvent(prisma, 'patient.deleted', () => prisma.patient.create({ data: person() }), {
      timeoutMs: 50,
    });
    await expect(waiting).rejects.toThrow(
      'No event "patient.deleted" was committed within 50 ms; others were: patient.created.',
    );
  });
});
