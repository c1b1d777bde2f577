import { request as httpRequest } from 'node:http';
import { waitFor } from '../../support/waitFor';
import {
  aPatient,
  anAppointment,
  bookAppointment,
  registerPatient,
  startApi,
  type TestApi,
  type TestApiOptions,
} from './startApi';

/*
 * A database that is slow, locked or breaks off: what an answer says was done was done, and what it says was not done is
 * not done later either.
 */

const patients = '/api/v1/patients';
const appointments = '/api/v1/appointments';
let api: TestApi;

const start = async (options: TestApiOptions): Promise<void> => {
  api = await startApi(options);
};
afterEach(() => api.stop());

/** Holds a table until the returned function is called. */
async function lock(table: string, mode = 'ACCESS EXCLUSIVE'): Promise<() => Promise<void>> {
  await api.sql.query('BEGIN');
  await api.sql.query(`LOCK TABLE ${table} IN ${mode} MODE`);
  return async () => void (await api.sql.query('COMMIT'));
}

/** Sessions of the API, by what they wait for; asked on the connection that holds them up. */
async function sessions(where: string): Promise<number> {
  // A transaction sees the sessions as they were when it first looked.
  await api.sql.query('SELECT pg_stat_clear_snapshot()::text');
  const { rows } = await api.sql.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'test api' AND ${where}`,
  );
  return rows[0]?.count ?? 0;
}
const allQuiet = async (): Promise<void> =>
  waitFor(async () => (await sessions("state <> 'idle'")) === 0, { what: 'the database to be quiet' }).then(
    () => undefined,
  );

async function waiting(): Promise<number> {
  const { values } = (await api.metrics.getSingleMetric('http_requests_waiting')?.get()) ?? { values: [] };
  return values[0]?.value ?? 0;
}

async function stored(email: unknown): Promise<boolean> {
  const { rowCount } = await api.sql.query('SELECT FROM patients WHERE email = $1', [email]);
  const { rowCount: events } = await api.sql.query("SELECT FROM signalbox.outbox WHERE data->>'email' = $1", [
    email,
  ]);
  expect(events).toBe(rowCount);
  return rowCount === 1;
}

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: { type: string; detail: string };
}
const create = async (patient: object): Promise<Answer> => api.http.post(patients).send(patient);

function expectNotDone({ status, headers, body }: Answer): void {
  expect([status, headers['retry-after']]).toEqual([503, '1']);
  expect(body.detail).toMatch(/try again/i);
}

function expectInDoubt({ status, headers, body }: Answer): void {
  expect([status, headers['retry-after']]).toEqual([503, undefined]);
  expect(body.detail).toContain('may have been carried out: look before you try again');
}

describe.each(['middleware', 'trigger'] as const)('with the %s engine', (engine) => {
  it('never carries out later what it said was not carried out, however long a table is locked', async () => {
    await start({ engine, requestTimeoutMs: 1_500 });
    const unlock = await lock('patients');
    const sent = Array.from({ length: 30 }, () => aPatient());
    const answers = await Promise.all(sent.map(create));
    await unlock();
    await allQuiet();
    const notDone = sent.filter((_patient, index) => answers[index]?.headers['retry-after'] !== undefined);
    for (const { email } of notDone) expect(await stored(email)).toBe(false);
    // On a slow machine the deadline may come before the server gives up a statement that commits by itself.
    if (engine === 'middleware') expect(notDone).toHaveLength(30);
    expect(notDone.length).toBeGreaterThan(10);
    expect(answers.map(({ status }) => status)).toEqual(sent.map(() => 503));
    expect((await create(aPatient())).status).toBe(201);
  });

  it('says that it does not know, and not to try again, when the deadline comes during a COMMIT', async () => {
    await start({ engine, requestTimeoutMs: 1_000, databaseTimeouts: {} });
    const release = await holdCommits();
    const patient = aPatient();
    const answer = await create(patient);
    expectInDoubt(answer);
    expect(answer.body.type).toBe('urn:healthcore:problem:timeout');
    await release();
    await allQuiet();
    expect(await stored(patient['email'])).toBe(true);
  });

  it('says so too when the connection breaks during a COMMIT', async () => {
    await start({ engine, requestTimeoutMs: 30_000 });
    const release = await holdCommits();
    const patient = aPatient();
    const answer = create(patient);
    await waitFor(async () => (await sessions("wait_event = 'advisory'")) === 1, { what: 'the COMMIT' });
    await api.sql.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event = 'advisory'`,
    );
    expectInDoubt(await answer);
    await release();
  });

  it('knows that nothing was done when the database refuses a COMMIT', async () => {
    await start({ engine });
    await atCommit("RAISE EXCEPTION USING ERRCODE = '55P03'");
    const patient = aPatient();
    expectNotDone(await create(patient));
    expect(await stored(patient['email'])).toBe(false);
  });

  it('begins nothing for a client that has left, and commits nothing either', async () => {
    await start({ engine, requestTimeoutMs: 30_000, poolSize: 2 });
    const unlock = await lock('patients', 'SHARE');
    const [begun, waits] = [aPatient(), aPatient()];
    const first = leavingClient(begun);
    await waitFor(async () => (await sessions("wait_event_type = 'Lock'")) === 1, { what: 'the first' });
    const second = leavingClient(waits);
    await waitFor(async () => (await waiting()) === 1, { what: 'the second to wait' });
    await second.leave();
    await waitFor(async () => (await waiting()) === 0, { what: 'the second to be dropped' });
    // Its statement is with the server. By the middleware its COMMIT is not; a trigger's commits with it.
    if (engine === 'middleware') await first.leave();
    await unlock();
    await allQuiet();
    expect(await stored(waits['email'])).toBe(false);
    if (engine === 'middleware') expect(await stored(begun['email'])).toBe(false);
  });
});

it('gives a transaction up at the deadline when the database sets no limits', async () => {
  await start({ requestTimeoutMs: 500, databaseTimeouts: {} });
  const { id } = await bookAppointment(api);
  const unlock = await lock('appointments, patients');
  const patient = aPatient();
  const [created, moved] = await Promise.all([
    create(patient),
    api.http.patch(`${appointments}/${id}`).send({ ends_at: '2031-05-05T10:30:00.000Z' }),
  ]);
  expectNotDone(created);
  expectNotDone(moved);
  await unlock();
  await allQuiet();
  expect(await stored(patient['email'])).toBe(false);
  const { body } = await api.http.get(`${appointments}/${id}`).expect(200);
  expect(body).toMatchObject({ ends_at: '2031-05-05T11:00:00.000Z' });
});

it('serves patients while every request for appointments hangs', async () => {
  await start({ requestTimeoutMs: 20_000 });
  const unlock = await lock('appointments');
  const hanging = Promise.all(Array.from({ length: 30 }, () => api.http.get(appointments)));
  await waitFor(async () => (await waiting()) > 0, { what: 'requests to wait' });
  await api.http.get(patients).expect(200);
  await api.http.post(patients).send(aPatient()).expect(201);
  await api.http.get('/livez').expect(200);
  await unlock();
  for (const { status } of await hanging) expect(status).toBe(200);
});

it('refuses at once what finds no place in the queue, and serves what waits', async () => {
  await start({ poolSize: 2, waitingRequests: 2 });
  const unlock = await lock('patients');
  const [first] = [api.http.get(patients).then(({ status }) => status)];
  await waitFor(async () => (await sessions("wait_event_type = 'Lock'")) === 1, { what: 'the first' });
  const others = [1, 2].map(() => api.http.get(patients).then(({ status }) => status));
  await waitFor(async () => (await waiting()) === 2, { what: 'two to wait' });
  const refused = await create(aPatient());
  expectNotDone(refused);
  expect(refused.body.type).toBe('urn:healthcore:problem:overloaded');
  await unlock();
  expect(await Promise.all([first, ...others])).toEqual([200, 200, 200]);
});

it('answers 409 and not 503 to those who ask for one slot at once, however long they queue for it', async () => {
  await start({ requestTimeoutMs: 60_000 });
  const { practitioner, patient_id } = await bookAppointment(api);
  await api.sql.query('BEGIN');
  await api.sql.query('SELECT pg_advisory_xact_lock(hashtextextended(name_key($1), 8000))', [practitioner]);
  const wanted = anAppointment(patient_id ?? '', { practitioner });
  const answers = Promise.all(Array.from({ length: 60 }, () => api.http.post(appointments).send(wanted)));
  await waitFor(async () => (await waiting()) === 52, { what: 'all others to wait' });
  // Longer than Prisma's own limit for waiting for a connection.
  await api.sql.query('SELECT pg_sleep(2.2)');
  await api.sql.query('COMMIT');
  expect((await answers).map(({ status }) => status)).toEqual(Array.from({ length: 60 }, () => 409));
});

it('keeps a request that only reads from being told that it may have been carried out', async () => {
  await start({ requestTimeoutMs: 500, databaseTimeouts: {} });
  await registerPatient(api);
  const unlock = await lock('patients');
  expectNotDone(await api.http.get(patients));
  await unlock();
});

/** Runs a statement in the COMMIT of whatever inserts a patient. */
async function atCommit(statement: string): Promise<void> {
  await api.sql.query(`
    CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${statement}; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON patients DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION at_commit();`);
}

/** Makes COMMITs wait until the returned function is called. */
async function holdCommits(): Promise<() => Promise<void>> {
  await atCommit('PERFORM pg_advisory_xact_lock_shared(17)');
  await api.sql.query('SELECT pg_advisory_lock(17)');
  return async () => void (await api.sql.query('SELECT pg_advisory_unlock(17)'));
}

/** A client that sends a patient and hangs up when asked to. */
function leavingClient(patient: object): { leave: () => Promise<void> } {
  const sent = httpRequest({
    port: api.port,
    host: '127.0.0.1',
    method: 'POST',
    path: patients,
    headers: { 'content-type': 'application/json' },
  });
  sent.on('error', () => undefined);
  sent.end(JSON.stringify(patient));
  return {
    leave: async () => {
      const closed = new Promise((resolve) => sent.once('close', resolve));
      sent.destroy();
      await closed;
    },
  };
}
