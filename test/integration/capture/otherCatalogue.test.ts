/** Both engines go by the catalogue that they are handed, and by no other. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { defineCatalogue } from '../../../src/events/catalogue';
import { defineCommand } from '../../../src/events/command';
import { patient } from '../../../src/healthcore/events/patient';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { contextComments } from '../../../src/outbox/prisma/contextComments';
import { withCapture } from '../../../src/outbox/prisma/middleware/extension';
import { withSignals } from '../../../src/outbox/prisma/trigger/withSignals';
import { silentLogger } from '../../support/logger';
import { type Bench, openBench } from './support';

const greet = defineCommand({
  eventType: 'patient.greet',
  aggregateType: 'patient',
  version: '1.0',
  data: z.object({ words: z.string() }),
});
const catalogue = defineCatalogue({ aggregates: [patient], commands: [greet] });

describe('a catalogue of the patients alone', () => {
  const options = { catalogue, source: 's', logger: silentLogger() };
  let bench: Bench;

  beforeAll(async () => {
    bench = await openBench();
  });
  afterAll(() => bench.close());

  it('the middleware engine captures its models and appends its commands, and nothing else', async () => {
    const prisma = withCapture(bench.plain, options);
    const { id: patientId } = await prisma.patient.create({ data: { name: 'Ann', email: randomUUID() } });
    const [startsAt, endsAt] = [new Date(2030, 0, 1, 9), new Date(2030, 0, 1, 10)];
    await prisma.appointment.create({
      data: { patientId, practitioner: 'Dr Who', startsAt, endsAt, reason: 'check-up' },
    });
    const aggregateId = patientId;
    await prisma.$transaction((tx) => tx.$append('patient.greet', { aggregateId, data: { words: 'Hello' } }));
    // The installed triggers, which are HealthCore's, have written the appointment's event in the name of the connection.
    const events = (await bench.events()).map(({ event_type, source }) => [event_type, source]);
    expect(events).toEqual([
      ['patient.created', 's'],
      ['appointment.booked', 'test'],
      ['patient.greet', 's'],
    ]);
    const foreign = prisma.$transaction((tx) =>
      // @ts-expect-error -- HealthCore's catalogue has this command, and this one has not
      tx.$append('email.send', { aggregateId, data: {} }),
    );
    await expect(foreign).rejects.toThrow('The catalogue has no event "email.send"');
  });

  it('the trigger engine refuses the triggers of models that are not in it', async () => {
    const database = { databaseUrl: bench.url, poolSize: 1, applicationName: 's', logger: silentLogger() };
    const base = createPrismaClient({ ...database, comments: [contextComments({ source: 's' })] });
    try {
      await expect(withSignals(base, options)).rejects.toThrow(
        /signalbox_appointment_\w+ on .*appointments"? belongs to nothing in the catalogue/,
      );
    } finally {
      await base.$disconnect();
    }
  });
});
