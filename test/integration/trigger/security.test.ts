import { randomUUID } from 'node:crypto';
import { connect, serverNames, startServer, type TestConnection, type TriggerServer } from './support';

describe.each(serverNames)('the rights that triggers need on %s', (name) => {
  let server: TriggerServer;
  let db: TestConnection;
  let app: TestConnection;
  const role = `app_${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    server = await startServer(name);
    db = await server.open();
    await db.run(`CREATE ROLE ${role} LOGIN`);
    await db.run(`GRANT SELECT, INSERT, UPDATE, DELETE ON patients TO ${role}`);
    await db.run(`GRANT CREATE ON SCHEMA public TO ${role}`);
    const url = new URL(db.url);
    url.username = role;
    app = await connect(url.toString());
  });
  afterAll(async () => {
    await app.client.end();
    await db.run(`DROP OWNED BY ${role}`);
    await db.run(`DROP ROLE ${role}`);
    await server.stop();
  });
  afterEach(() => app.run('DISCARD ALL'));

  const write = (): Promise<unknown> =>
    app.run(
      `INSERT INTO public.patients (id, name, email, updated_at) VALUES (gen_random_uuid(), 'Ann', gen_random_uuid()::text, now())`,
    );

  it('are the rights on the model alone: the application cannot touch the outbox', async () => {
    await write();
    await app.run(`UPDATE patients SET name = 'Bea'`);
    await app.run('DELETE FROM patients');
    expect(await db.types()).toEqual(['patient.created', 'patient.updated', 'patient.deleted']);
    await expect(app.run('SELECT 1 FROM signalbox.outbox')).rejects.toThrow('permission denied');
    await expect(app.run('DELETE FROM signalbox.outbox')).rejects.toThrow('permission denied');
  });

  it('cannot be turned against the owner by a hostile search path', async () => {
    await app.run(`CREATE SCHEMA IF NOT EXISTS "trap_${role}"`).catch(() => undefined);
    await app.run(
      `CREATE FUNCTION public.lower_trap() RETURNS text LANGUAGE sql AS 'SELECT current_user::text'`,
    );
    // Functions and operators that would be found first if the caller's path were used.
    await app.run(`CREATE FUNCTION public.right(text, int) RETURNS text LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$`);
    await app.run(`CREATE FUNCTION public.row_to_json(record) RETURNS json LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$`);
    await app.run(`CREATE FUNCTION public.uuid_trap(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'trapped as %', current_user; END $$`);
    await app.run(`CREATE OPERATOR public.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = public.uuid_trap)`);
    await app.run(`CREATE TEMP TABLE new_rows (id uuid)`);
    await app.run(`CREATE TEMP TABLE outbox (id uuid)`);
    await app.run('SET search_path = pg_temp, public, pg_catalog');
    await write();
    await app.run(`UPDATE patients SET name = 'Cleo'`);
    await app.run('DELETE FROM patients');
    expect(await db.types()).toEqual(['patient.created', 'patient.updated', 'patient.deleted']);
  });

  it('do not let anybody attach our functions to a table of his own and forge events', async () => {
    await app.run('CREATE TABLE public.forged (LIKE public.patients)');
    await db.run(`GRANT USAGE ON SCHEMA signalbox TO ${role}`);
    await expect(
      app.run(`CREATE TRIGGER forged AFTER INSERT ON public.forged REFERENCING NEW TABLE AS new_rows
        FOR EACH STATEMENT EXECUTE FUNCTION signalbox.capture_patient_insert()`),
    ).rejects.toThrow('permission denied for function');
  });

  it('do not let the application switch the triggers off', async () => {
    await expect(app.run('ALTER TABLE patients DISABLE TRIGGER USER')).rejects.toThrow('must be owner');
    await expect(app.run('SET session_replication_role = replica')).rejects.toThrow('permission denied');
  });
});
