import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { catalogue } from '../../../src/healthcore/catalogue';
import { assertTriggersMatch } from '../../../src/outbox/prisma/installed/check';
import { writeMigration } from '../../../src/outbox/prisma/trigger/writeMigration';
import { shippedSchema, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

/** A second trigger that would write each event again. */
const doubled = `CREATE TRIGGER again AFTER INSERT ON patients REFERENCING NEW TABLE AS new_rows
  FOR EACH STATEMENT EXECUTE FUNCTION signalbox.capture_patient_insert()`;

const appointmentOnly = catalogue.aggregates.filter(({ type }) => type === 'appointment');

describe.each(serverNames)('the check of the triggers at start, on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
  });
  afterAll(() => server.stop());
  beforeEach(() => db.run('BEGIN'));
  afterEach(() => db.run('ROLLBACK'));

  const check = (expected: Parameters<typeof assertTriggersMatch>[1] = catalogue.aggregates): Promise<void> =>
    assertTriggersMatch((sql, ...parameters) => db.run(sql, parameters), expected, {
      schema: shippedSchema,
    });

  it('is content with what the generator installs', async () => {
    await expect(check()).resolves.toBeUndefined();
  });

  it('names the commands that mend it', async () => {
    await db.run('DROP TRIGGER signalbox_patient_insert ON patients');
    await expect(check()).rejects.toMatchObject({
      name: 'TriggersDifferError',
      message: expect.stringMatching(/npx signalbox sync.*npx signalbox migrate/),
    });
  });

  it.each([
    [
      'a missing trigger',
      'DROP TRIGGER signalbox_patient_update ON patients',
      'signalbox_patient_update on "patients" is missing',
    ],
    [
      'a trigger that is switched off',
      'ALTER TABLE appointments DISABLE TRIGGER signalbox_appointment_insert',
      'signalbox_appointment_insert on "appointments" is switched off',
    ],
    [
      'all triggers switched off',
      'ALTER TABLE patients DISABLE TRIGGER ALL',
      'signalbox_patient_delete on "patients" is switched off',
    ],
    [
      'a trigger for replicas only',
      'ALTER TABLE patients ENABLE REPLICA TRIGGER signalbox_patient_delete',
      'is switched off',
    ],
    [
      'a function of an older catalogue',
      `COMMENT ON FUNCTION signalbox.capture_patient_insert() IS 'another'`,
      'signalbox_patient_insert on "patients" differs',
    ],
    [
      'a function that somebody edited',
      `CREATE OR REPLACE FUNCTION signalbox.capture_patient_delete() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN NULL; END'`,
      'signalbox_patient_delete on "patients" differs',
    ],
    [
      'a function without the rights of its owner',
      'ALTER FUNCTION signalbox.capture_patient_delete() SECURITY INVOKER',
      'differs',
    ],
    [
      'a function under another search path',
      'ALTER FUNCTION signalbox.capture_patient_insert() SET search_path = public',
      'signalbox_patient_insert on "patients" differs',
    ],
    [
      'a function whose search path anybody may choose',
      'ALTER FUNCTION signalbox.capture_patient_update() RESET search_path',
      'signalbox_patient_update on "patients" differs',
    ],
    [
      'a function with a setting more',
      "ALTER FUNCTION signalbox.refuse_truncate_patient() SET client_min_messages = 'error'",
      'signalbox_patient_truncate on "patients" differs',
    ],
    [
      'a shared function with a setting',
      'ALTER FUNCTION signalbox.percent_decoded(text) SET search_path = public',
      'functions that the triggers share',
    ],
    [
      'a shared function with the rights of its owner',
      'ALTER FUNCTION signalbox.instant_of(date, text) SECURITY DEFINER',
      'functions that the triggers share',
    ],
    [
      'a trigger that calls another function',
      `CREATE OR REPLACE TRIGGER signalbox_patient_delete AFTER DELETE ON patients REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION signalbox.capture_appointment_delete()`,
      'differs',
    ],
    [
      'a missing table',
      'ALTER TABLE appointments RENAME TO visits',
      'the table "public"."appointments" is missing',
    ],
    [
      'shared functions of another version',
      `COMMENT ON FUNCTION signalbox.statement_context(text) IS NULL`,
      'functions that the triggers share',
    ],
  ])('refuses %s', async (_what, sql, problem) => {
    await db.run(sql);
    await expect(check()).rejects.toThrow(problem);
  });

  it('looks at the tables that Prisma writes to, whatever the search path says', async () => {
    await db.run('CREATE SCHEMA other; CREATE TABLE other.patients (LIKE patients)');
    await db.run('SET LOCAL search_path = other, public');
    await expect(check()).resolves.toBeUndefined();
    const elsewhere = assertTriggersMatch(
      (sql, ...parameters) => db.run(sql, parameters),
      catalogue.aggregates,
      {
        schema: shippedSchema,
        defaultSchema: 'other',
      },
    );
    await expect(elsewhere).rejects.toThrow(
      /trigger signalbox_patient_insert on "patients" is missing.*the table "other"."appointments" is missing/,
    );
  });

  it.each([
    ['this session', "SET LOCAL session_replication_role = 'replica'", 'on this connection'],
    [
      'connections of this role',
      `ALTER ROLE CURRENT_USER SET session_replication_role = 'replica'`,
      'for connections that this role opens',
    ],
    [
      'this database',
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET session_replication_role = replica', current_database()); END $$`,
      'for connections that this role opens',
    ],
  ])('refuses triggers that are silenced for %s', async (_, sql, where) => {
    await db.run(sql);
    await expect(check()).rejects.toThrow(
      new RegExp(`session_replication_role is "replica" ${where}, so no trigger fires\\. Give session_repl`),
    );
  });

  it('is content with silenced triggers that fire always', async () => {
    for (const table of ['patients', 'appointments'])
      for (const { tgname } of await db.run(
        `SELECT tgname FROM pg_trigger WHERE tgrelid = '${table}'::regclass AND NOT tgisinternal`,
      ))
        await db.run(`ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${String(tgname)}`);
    await db.run("SET LOCAL session_replication_role = 'replica'");
    await expect(check()).resolves.toBeUndefined();
  });

  it('refuses triggers of a model that has left the catalogue', async () => {
    await expect(check(appointmentOnly)).rejects.toThrow(
      'the trigger signalbox_patient_insert on patients belongs to nothing in the catalogue',
    );
  });

  it('is content again after the migration that the command writes', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'signalbox-check-'));
    try {
      const schema = path.resolve(__dirname, '../../../prisma/schema.prisma');
      const migrate = async (catalogue: typeof appointmentOnly): Promise<void> => {
        const { message } = await writeMigration(catalogue, { schema, migrations: folder, check: false });
        const file = /^Wrote (\S+)\. /.exec(message)?.[1] ?? '';
        await db.run(await readFile(file, 'utf8'));
      };
      await migrate([...catalogue.aggregates] as never);
      await expect(check()).resolves.toBeUndefined();
      await migrate(appointmentOnly);
      await expect(check(appointmentOnly)).resolves.toBeUndefined();
      await migrate([...catalogue.aggregates] as never);
      await expect(check()).resolves.toBeUndefined();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it.each([
    ['dropped', 'DROP TRIGGER signalbox_patient_insert ON patients'],
    ['switched off', 'ALTER TABLE patients DISABLE TRIGGER ALL'],
    ['renamed', 'ALTER TRIGGER signalbox_patient_update ON patients RENAME TO signalbox_mine'],
    ['doubled', doubled],
    [
      'changed in their settings',
      'ALTER FUNCTION signalbox.capture_patient_insert() SET search_path = public',
    ],
    ['changed in their rights', 'ALTER FUNCTION signalbox.capture_patient_delete() SECURITY INVOKER'],
    ['left without their functions', 'DROP FUNCTION signalbox.capture_patient_insert() CASCADE'],
    ['given other shared functions', `COMMENT ON FUNCTION signalbox.statement_context(text) IS NULL`],
    [
      'given a shared function with a setting',
      'ALTER FUNCTION signalbox.percent_decoded(text) SET work_mem = 64',
    ],
  ])(
    'is content after --repair when triggers were %s by hand, though no migration is missing',
    async (_, sql) => {
      const folder = await mkdtemp(path.join(tmpdir(), 'signalbox-repair-'));
      try {
        const schema = path.resolve(__dirname, '../../../prisma/schema.prisma');
        const options = { schema, migrations: folder, check: false };
        await writeMigration(catalogue.aggregates, options);
        await db.run(sql);
        await expect(check()).rejects.toThrow('npx signalbox sync --repair');
        expect((await writeMigration(catalogue.aggregates, options)).message).toMatch(/^Nothing to do/);
        const { message } = await writeMigration(catalogue.aggregates, { ...options, repair: true });
        await db.run(await readFile(/^Wrote (\S+)\. /.exec(message)?.[1] ?? '', 'utf8'));
        await expect(check()).resolves.toBeUndefined();
        expect((await writeMigration(catalogue.aggregates, options)).message).toMatch(/^Nothing to do/);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  );
});
