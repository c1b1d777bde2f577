import { Client } from 'pg';
import { sendDueReminders } from '../../../src/healthcore/consumers/reminders/sender';
import type { CapturedClient } from '../../../src/healthcore/capturedClient';
import { createCapturedClient } from '../../../src/healthcore/capturedClient';
import { createConnection, createPool } from '../../../src/shared/database';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { UserError } from '../../../src/shared/lifecycle';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { engines } from '../pitfalls/support';
import { silentLogger } from '../../support/logger';
import { spawnProgram } from '../../support/process';
import { startPooler } from '../../support/pooler';

const zone = 'America/New_York';
/** 09:00 in UTC, in winter and on the day on which New York sets its clocks; and an hour that is there twice. */
const instants = ['2026-01-05T09:00:00.000Z', '2026-03-08T07:30:00.000Z', '2026-11-01T05:30:00.000Z'];

describe.each(engines)('with the %s engine, in a database in another time zone', (engine) => {
  let database: TestDatabase;
  let prisma: CapturedClient;
  let psql: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    psql = new Client({ connectionString: database.url });
    await psql.connect();
    await psql.query(`ALTER DATABASE "${database.name}" SET timezone = '${zone}'`);
    await psql.query(`ALTER DATABASE "${database.name}" SET datestyle = 'SQL, DMY'`);
    await psql.query(`SET timezone = '${zone}'; SET datestyle = 'SQL, DMY'`);
    prisma = await createCapturedClient(
      engine,
      { databaseUrl: database.url, poolSize: 2, applicationName: 'zones', logger: silentLogger() },
      { source: 'test', logger: silentLogger() },
    );
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await psql.end();
    await database.drop();
  });
  afterEach(() => psql.query('DELETE FROM appointments; DELETE FROM patients; DELETE FROM signalbox.outbox'));

  const events = async () =>
    (
      await psql.query<{ data: Record<string, unknown> }>(
        'SELECT data FROM signalbox.outbox ORDER BY position',
      )
    ).rows;
  const patient = () => prisma.patient.create({ data: { name: 'Ann', email: 'ann@example.com' } });

  it.each(instants)('%s is stored, answered and published as it was given', async (instant) => {
    const startsAt = new Date(instant);
    const endsAt = new Date(startsAt.getTime() + 1_800_000);
    const { id: patientId } = await patient();
    const { id } = await prisma.appointment.create({
      data: { patientId, practitioner: 'Dr A', startsAt, endsAt },
    });
    expect(await prisma.appointment.findFirst({ where: { startsAt } })).toMatchObject({
      id,
      startsAt,
      endsAt,
    });
    const stored = `SELECT to_char(starts_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at FROM appointments`;
    expect((await psql.query(stored)).rows).toEqual([{ at: instant }]);
    expect((await events()).at(-1)?.data).toMatchObject({
      starts_at: instant,
      ends_at: endsAt.toISOString(),
    });
  });

  it('defaults of the database are the time of now, and dates stay the day that was given', async () => {
    const dateOfBirth = new Date('2000-02-29');
    const before = Date.now();
    const { id } = await prisma.patient.create({
      data: { name: 'Ann', email: 'ann@example.com', dateOfBirth },
    });
    const found = await prisma.patient.findUniqueOrThrow({ where: { id } });
    expect(found.dateOfBirth).toEqual(dateOfBirth);
    expect(Math.abs(found.createdAt.getTime() - before)).toBeLessThan(60_000);
    expect((await psql.query(`SELECT date_of_birth::text AS day FROM patients`)).rows).toEqual([
      { day: '29/02/2000' },
    ]);
  });

  it('a row that psql writes is answered at the time that was meant, and so is its event', async () => {
    await psql.query(
      `INSERT INTO patients (name, email) VALUES ('Bob', 'bob@example.com');
       INSERT INTO appointments (patient_id, practitioner, starts_at, ends_at)
       SELECT id, 'Dr B', '05/01/2026 09:00', '05/01/2026 10:00' FROM patients`,
    );
    // Nine in New York.
    const startsAt = new Date('2026-01-05T14:00:00.000Z');
    expect(await prisma.appointment.findMany()).toMatchObject([{ startsAt }]);
    expect((await events()).at(-1)?.data).toMatchObject({ starts_at: startsAt.toISOString() });
  });

  it('a reminder says the time of the appointment', async () => {
    const startsAt = new Date(Math.ceil(Date.now() / 3_600_000) * 3_600_000);
    const { id: patientId } = await patient();
    await psql.query(
      `INSERT INTO reminders.contact (patient_id, sequence, email) VALUES ($1, 1, 'ann@example.com')`,
      [patientId],
    );
    await psql.query(
      `INSERT INTO reminders.appointment (appointment_id, patient_id, sequence, starts_at)
       VALUES (gen_random_uuid(), $1, 1, $2)`,
      [patientId, startsAt],
    );
    expect(await sendDueReminders({ database: prisma, leadMinutes: 600, timeZone: 'UTC' })).toBe(1);
    const hour = startsAt.toISOString().slice(11, 16);
    expect(JSON.stringify((await events()).at(-1)?.data)).toContain(hour);
  });
});

describe('every connection', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query(`ALTER DATABASE "${database.name}" SET timezone = '${zone}'`);
    await client.end();
  });
  afterAll(async () => {
    await database.assertNoLeaks();
    await database.drop();
  });
  const options = (databaseUrl = database.url) => ({
    databaseUrl,
    poolSize: 1,
    applicationName: 'zones',
    logger: silentLogger(),
  });
  const ask = `SELECT current_setting('TimeZone') AS zone, pg_backend_pid() AS pid`;

  it('is in UTC: single ones, those of pools, with and without prepared statements', async () => {
    const single = createConnection(options());
    await single.connect();
    expect((await single.query(ask)).rows).toMatchObject([{ zone: 'UTC' }]);
    await single.end();
    const pool = createPool(options());
    expect((await pool.query(ask)).rows).toMatchObject([{ zone: 'UTC' }]);
    await pool.end();
    for (const preparedStatements of [true, false]) {
      const prisma = createPrismaClient({ ...options(), preparedStatements, comments: [] });
      expect(await prisma.$queryRawUnsafe(ask)).toMatchObject([{ zone: 'UTC' }]);
      await prisma.$disconnect();
    }
  });

  it('that a statement has moved to another zone is not used again', async () => {
    const prisma = createPrismaClient({ ...options(), comments: [] });
    const [first] = await prisma.$queryRawUnsafe<{ pid: number }[]>(ask);
    await prisma.$executeRawUnsafe(`SET TIME ZONE '${zone}'`);
    const [second] = await prisma.$queryRawUnsafe<{ pid: number; zone: string }[]>(ask);
    expect(second?.zone).toBe('UTC');
    expect(second?.pid).not.toBe(first?.pid);
    await prisma.$executeRawUnsafe(`SET DateStyle = 'German'`);
    expect(await prisma.$queryRawUnsafe(`SELECT current_setting('DateStyle') AS style`)).toEqual([
      { style: 'ISO, MDY' },
    ]);
    await prisma.$disconnect();
  });

  it('is refused, with the remedy, when a pooler has dropped what we asked for', async () => {
    const pooler = await startPooler(database.url, { settings: {} });
    const pool = createPool(options(pooler.url));
    const refused = await pool.query('SELECT 1').then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(UserError);
    expect(String(refused)).toMatch(
      /its time zone is America\/New_York although UTC .* ALTER ROLE … SET timezone = 'UTC'/,
    );
    await pool.end();
    await pooler.close();
  });
});

it("a process's own time zone changes nothing", async () => {
  const database = await createTestDatabase();
  const program = await spawnProgram('test/integration/connections/zoned/main', {
    args: [database.url, instants[1] ?? ''],
    env: { TZ: zone },
  });
  expect(await program.exited).toMatchObject({ code: 0 });
  expect(JSON.parse(program.output())).toEqual([
    instants[1],
    '2000-02-29T00:00:00.000Z',
    { at: instants[1], day: '2000-02-29' },
  ]);
  await database.drop();
});
