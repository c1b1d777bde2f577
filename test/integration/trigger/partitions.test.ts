import { catalogue } from '../../../src/healthcore/catalogue';
import { assertTriggersMatch } from '../../../src/outbox/prisma/installed/check';
import {
  install,
  serverNames,
  shippedSchema,
  startServer,
  type TestConnection,
  type TriggerServer,
} from './support';

/** Appointments as a partitioned table with a partition that is partitioned itself, and the triggers. */
const partitioned = `
  DROP TABLE appointments;
  CREATE TABLE public.appointments (
    id uuid NOT NULL, patient_id uuid NOT NULL, practitioner text NOT NULL, starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL, status appointment_status NOT NULL DEFAULT 'BOOKED', reason text,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now()
  ) PARTITION BY RANGE (starts_at);
  CREATE TABLE public."Year 2026" PARTITION OF appointments FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')
    PARTITION BY RANGE (starts_at);
  CREATE TABLE public.january PARTITION OF "Year 2026" FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')`;

const february = `CREATE TABLE public.february PARTITION OF "Year 2026" FOR VALUES FROM ('2026-02-01') TO ('2026-03-01')`;

const insert = (table: string, month: string): string =>
  `INSERT INTO ${table} (id, patient_id, practitioner, starts_at, ends_at)
   VALUES (gen_random_uuid(), gen_random_uuid(), 'Dr. Who', '2026-${month}-05 08:00Z', '2026-${month}-05 09:00Z')`;

describe.each(serverNames)('partitions of a captured table, on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
  });
  afterAll(() => server.stop());
  beforeEach(async () => {
    await db.run('BEGIN');
    await db.run(partitioned);
    await install((sql) => db.run(sql));
    await db.events();
  });
  afterEach(() => db.run('ROLLBACK'));

  const check = (): Promise<void> =>
    assertTriggersMatch((sql, ...parameters) => db.run(sql, parameters), catalogue.aggregates, {
      schema: shippedSchema,
    });

  it.each(['appointments', '"Year 2026"', 'january'])(
    'have one event for each write, also for one that names %s',
    async (table) => {
      await expect(check()).resolves.toBeUndefined();
      await db.run(insert(table, '01'));
      await db.run(`UPDATE ${table} SET status = 'CANCELLED'`);
      await db.run(`DELETE FROM ${table}`);
      expect(await db.types()).toEqual([
        'appointment.booked',
        'appointment.cancelled',
        'appointment.deleted',
      ]);
      await db.run('SAVEPOINT before');
      await expect(db.run(`TRUNCATE ${table}`)).rejects.toThrow('TRUNCATE of');
      await db.run('ROLLBACK TO before');
    },
  );

  it('that were added later are refused by name, until the function has been called', async () => {
    await db.run(february);
    await expect(check()).rejects.toThrow(
      'the partition february of "public"."appointments" lacks triggers, so a statement that names it would leave no event. Run "SELECT signalbox.capture_partitions()"',
    );
    await db.run('SELECT signalbox.capture_partitions()');
    await expect(check()).resolves.toBeUndefined();
    await db.run(insert('february', '02'));
    expect(await db.types()).toEqual(['appointment.booked']);
    await db.run('SELECT signalbox.capture_partitions()');
  });

  it.each([
    ['switched off', 'ALTER TABLE january DISABLE TRIGGER USER', 'on january is switched off'],
    ['removed', 'DROP TRIGGER signalbox_appointment_insert ON january', 'the partition january of'],
    [
      'left on a table that is no partition any more',
      'ALTER TABLE "Year 2026" DETACH PARTITION january',
      'on january belongs to nothing in the catalogue',
    ],
  ])('whose triggers were %s are refused', async (_, sql, problem) => {
    await db.run(sql);
    await expect(check()).rejects.toThrow(problem);
  });
});
