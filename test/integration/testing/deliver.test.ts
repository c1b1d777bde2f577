import { randomUUID } from 'node:crypto';
import { PermanentError } from '../../../src/consumers/errors';
import type { EventEnvelope } from '../../../src/events/envelope';
import { catalogue } from '../../../src/healthcore/catalogue';
import type { Handlers } from '../../../src/healthcore/consumers/types';
import { captureEvents } from '../../../src/testing/captureEvents';
import { deliver } from '../../../src/testing/deliver';
import { person } from '../capture/support';
import { type Clinic, openClinic } from '../pitfalls/support';

describe('deliver, in tests of an application,', () => {
  let clinic: Clinic;

  beforeAll(async () => {
    clinic = await openClinic('trigger');
  });
  beforeEach(() => clinic.clear());
  afterAll(() => clinic.close());

  const consumer = (handlers: Handlers, name = `consumer-${randomUUID()}`) => ({
    name,
    catalogue,
    handlers,
    database: clinic.prisma,
  });
  const copies: Handlers = {
    'patient.created': async ({ data }, { tx }) => {
      await tx.patient.create({ data: { ...person(), name: `Copy of ${data.name}` } });
    },
  };
  const copied = (): Promise<number> =>
    clinic.prisma.patient.count({ where: { name: { startsWith: 'Copy of' } } });
  const data = { patient_id: randomUUID(), name: 'Ada', email: 'ada@example.com', phone: null };

  async function created(): Promise<EventEnvelope> {
    const [event] = await captureEvents(clinic.prisma, () =>
      clinic.prisma.patient.create({ data: person() }),
    );
    if (!event) throw new Error('The write of a patient has left no event.');
    return event;
  }

  it('has the effect of a captured event once: the second delivery is a duplicate', async () => {
    const event = await created();
    const tried = consumer(copies);
    expect(await deliver(tried, event)).toBe('processed');
    expect(await deliver(tried, event)).toBe('duplicate');
    expect(await copied()).toBe(1);
    expect(await deliver(consumer(copies), event)).toBe('processed');
    expect(await copied()).toBe(2);
  });

  it('lets the events of the handler follow from the one that it was given', async () => {
    const event = await created();
    const [caused] = await captureEvents(clinic.prisma, () => deliver(consumer(copies), event));
    expect(caused?.metadata.causation_id).toBe(event.event_id);
  });

  it('throws the error of the handler itself, and keeps nothing: the next delivery is the first', async () => {
    const event = await created();
    const error = new PermanentError('not like this');
    const tried = consumer({
      'patient.created': async (_event, { tx }) => {
        await tx.patient.create({ data: { ...person(), name: 'Copy of a copy' } });
        throw error;
      },
    });
    await expect(deliver(tried, event)).rejects.toBe(error);
    expect(await copied()).toBe(0);
    expect(await deliver(consumer(copies, tried.name), event)).toBe('processed');
  });

  it('takes a draft: a new event each time, or the same one where its id is given', async () => {
    const tried = consumer(copies);
    const draft = { eventType: 'patient.created', data };
    expect(await deliver(tried, draft)).toBe('processed');
    expect(await deliver(tried, draft)).toBe('processed');
    const named = { ...draft, eventId: randomUUID() };
    expect(await deliver(tried, named)).toBe('processed');
    expect(await deliver(tried, named)).toBe('duplicate');
    expect(await copied()).toBe(3);
  });

  it('runs effects outside of the database once as well', async () => {
    const ran: string[] = [];
    const tried = {
      ...consumer({}),
      effects: { 'patient.created': { run: async (event: EventEnvelope) => void ran.push(event.event_id) } },
    };
    const event = await created();
    expect(await deliver(tried, event)).toBe('processed');
    expect(await deliver(tried, event)).toBe('duplicate');
    expect(ran).toEqual([event.event_id]);
  });

  it('refuses what the catalogue or the consumer does not know, and quotes no value of the data', async () => {
    const tried = consumer(copies, 'copier');
    await expect(deliver(tried, { eventType: 'patient.moved', data })).rejects.toThrow(
      'The catalogue has no event "patient.moved"; it has: patient.created,',
    );
    const wrong = { eventType: 'patient.created', data: { ...data, name: 4711 } };
    const refused = deliver(tried, wrong);
    await expect(refused).rejects.toThrow(
      'The consumer "copier" cannot process the event "patient.created": data.name',
    );
    await expect(refused).rejects.not.toThrow('4711');
    const event = {
      ...(await created()),
      event_type: 'patient.deleted',
      data: { patient_id: data.patient_id },
    };
    await expect(deliver(tried, event)).rejects.toThrow('event_type: no handler');
  });
});
