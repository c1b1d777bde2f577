import { randomUUID } from 'node:crypto';
import { catalogue } from '../../../src/healthcore/catalogue';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { withContext } from '../../../src/outbox/context';
import { withSignals } from '../../../src/outbox/prisma/trigger/withSignals';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import type { StatementComments } from '../../../src/outbox/prisma/statementComments';
import { silentLogger } from '../../support/logger';
import { startServer, type TestConnection, type TriggerServer } from './support';

describe('a client with the trigger engine', () => {
  let server: TriggerServer;
  let db: TestConnection;
  const clients: PrismaClient[] = [];
  let hints = 0;

  const open = (comments?: StatementComments[]): PrismaClient => {
    const options = { databaseUrl: db.url, poolSize: 4, applicationName: 'app', logger: silentLogger() };
    const client = createPrismaClient(comments ? { ...options, comments } : options);
    clients.push(client);
    return client;
  };
  const options = { catalogue, source: 'clinic', logger: silentLogger() };
  const forTriggers = (): PrismaClient => open([contextComments({ source: 'clinic' })]);
  let prisma: CapturedClient;

  beforeAll(async () => {
    server = await startServer('embedded');
    db = await server.open();
    prisma = await withSignals(forTriggers(), { ...options, onCommitted: () => (hints += 1) });
  });
  afterAll(async () => {
    await Promise.all(clients.map((client) => client.$disconnect()));
    await server.stop();
  });
  beforeEach(async () => {
    await db.run('DELETE FROM patients');
    await db.events();
    hints = 0;
  });

  const patient = (name = 'Ann'): { name: string; email: string } => ({
    name,
    email: `${randomUUID()}@example.com`,
  });
  const email = { aggregateId: 'a1', data: { to: 'a@example.com', subject: 'Hello', text: 'Welcome' } };

  it('appends explicit events in the transaction, among those of its writes, with the context', async () => {
    const { eventId } = await withContext({ correlationId: 'req-1' }, async () =>
      prisma.$transaction(async (tx) => {
        await tx.patient.create({ data: patient() });
        const appended = await tx.$append('email.send', email);
        await tx.patient.deleteMany();
        return appended;
      }),
    );
    const events = await db.events();
    expect(events.map(({ event_type }) => event_type)).toEqual([
      'patient.created',
      'email.send',
      'patient.deleted',
    ]);
    expect(events[1]).toMatchObject({
      event_id: eventId,
      aggregate_id: 'a1',
      data: email.data,
      source: 'clinic',
    });
    expect(events.map(({ correlation_id }) => correlation_id)).toEqual(['req-1', 'req-1', 'req-1']);
  });

  it('appends through extensions of the application too, whether somebody wants hints or not', async () => {
    const silent = await withSignals(forTriggers(), options);
    for (const client of [prisma, silent]) {
      const extended = client.$extends({ name: 'theirs', client: { theirs: () => 1 } });
      await extended.$transaction(async (tx) => {
        await tx.patient.create({ data: patient() });
        await (tx as unknown as CapturedClient).$append('email.send', email);
      });
      expect(await db.types()).toEqual(['patient.created', 'email.send']);
    }
  });

  it('appends nothing in a transaction that is rolled back', async () => {
    const failing = prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: patient() });
      await tx.$append('email.send', email);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await db.types()).toEqual([]);
    expect(hints).toBe(0);
  });

  it('refuses an explicit event outside a transaction, or one that does not fit the catalogue', async () => {
    await expect(prisma.$append('email.send', email)).rejects.toThrow('needs a transaction');
    const send = (event: typeof email): Promise<unknown> =>
      prisma.$transaction(async (tx) => tx.$append('email.send', event));
    await expect(send({ ...email, aggregateId: '' })).rejects.toThrow('needs the id');
    const unfit = send({ ...email, data: { ...email.data, to: 'secret name' } });
    await expect(unfit).rejects.toThrow('does not fit the catalogue: to: invalid_format');
    await expect(unfit).rejects.not.toThrow('secret');
    const unknown = prisma.$transaction(async (tx) => tx.$append('no.such' as 'email.send', email));
    await expect(unknown).rejects.toThrow('no event "no.such"');
    expect(await db.types()).toEqual([]);
  });

  it('gives a hint after each commit, and none for reads or within a transaction', async () => {
    await prisma.patient.findMany();
    expect(hints).toBe(0);
    await prisma.patient.create({ data: patient() });
    expect(hints).toBe(1);
    await prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: patient() });
      await tx.$executeRaw`UPDATE patients SET phone = '1'`;
      expect(hints).toBe(1);
    });
    expect(hints).toBe(2);
    await prisma.$transaction([prisma.patient.create({ data: patient() }), prisma.patient.deleteMany()]);
    expect(hints).toBe(3);
    await prisma.$executeRaw`UPDATE patients SET phone = '2'`;
    expect(hints).toBe(4);
  });

  it('does not let a failing hint reach the caller', async () => {
    const failing = await withSignals(forTriggers(), {
      ...options,
      onCommitted: () => {
        throw new Error('the nudge failed');
      },
    });
    await expect(failing.patient.create({ data: patient() })).resolves.toMatchObject({ name: 'Ann' });
  });

  it('keeps nested transactions nested: what goes back to a savepoint leaves no event', async () => {
    await prisma.$transaction(async (tx) => {
      await tx.patient.create({ data: patient('kept') });
      const inner = tx.$transaction(async (nested) => {
        await nested.patient.create({ data: patient('lost') });
        await nested.$append('email.send', email);
        throw new Error('inner');
      });
      await expect(inner).rejects.toThrow('inner');
      await tx.$transaction(async (nested) => nested.patient.create({ data: patient('kept too') }));
      expect(hints).toBe(0);
    });
    expect((await db.said()).map(([, { name }]) => name)).toEqual(['kept', 'kept too']);
  });

  it('is refused for a client that would make the triggers look away, or that stamps no context', async () => {
    await expect(withSignals(open(), options)).rejects.toThrow(/marks its statements.*contextComments/);
    await expect(withSignals(open([]), options)).rejects.toThrow('stamps no context');
    await expect(withSignals(prisma, options)).rejects.toThrow('has capture already');
  });

  it('is refused while a trigger is missing', async () => {
    await db.run('ALTER TABLE patients DISABLE TRIGGER signalbox_patient_update');
    try {
      await expect(withSignals(forTriggers(), options)).rejects.toThrow(
        /signalbox_patient_update on "patients" is switched off.*npx signalbox sync/,
      );
    } finally {
      await db.run('ALTER TABLE patients ENABLE TRIGGER signalbox_patient_update');
    }
  });

  it('works beside a client with the middleware engine: each write has its events once', async () => {
    const other = withCapture(open(), { ...options, source: 'other' });
    const work = async (client: CapturedClient, name: string): Promise<void> => {
      for (let round = 0; round < 10; round++) {
        const { id } = await client.patient.create({ data: patient(name) });
        await client.patient.update({ where: { id }, data: { phone: '1' } });
        await client.patient.createMany({ data: [patient(name), patient(name)] });
        await client.$transaction(async (tx) => {
          await tx.patient.updateMany({ where: { name, phone: null }, data: { phone: '2' } });
          await tx.$append('email.send', email);
        });
        await client.patient.deleteMany({ where: { name } });
      }
    };
    await Promise.all([work(other, 'by middleware'), work(prisma, 'by trigger')]);
    const events = await db.events();
    const perRound = [
      ...Array.from({ length: 3 }, () => 'patient.created'),
      ...Array.from({ length: 3 }, () => 'patient.updated'),
      ...Array.from({ length: 3 }, () => 'patient.deleted'),
      'email.send',
    ];
    for (const source of ['other', 'clinic']) {
      const types = events.filter((event) => event.source === source).map(({ event_type }) => event_type);
      const count = (type: string, of: string[]): number => of.filter((each) => each === type).length;
      for (const type of new Set(perRound))
        expect([type, count(type, types)]).toEqual([type, 10 * count(type, perRound)]);
    }
  });
});
