import { join } from 'node:path';
import { Client } from 'pg';
import { findFreePort } from '../../../dev/postgres/ports';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { compile, projectRoot } from '../../support/compile';
import { spawnProcess, spawnProgram } from '../../support/process';
import { aPatient } from './startApi';

/** The program as it is started by `npm run api`. */
const program = 'src/api/main';
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const environment = (extra: Record<string, string> = {}): Record<string, string> => ({
  DATABASE_URL: database.url,
  HOST: '127.0.0.1',
  PORT: '0',
  ...extra,
});

async function query(sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

it('serves, says so, and after SIGTERM ends cleanly with nothing left in the database', async () => {
  const api = await spawnProgram(program, { env: environment({ PORT: String(await findFreePort()) }) });
  const { port } = JSON.parse(await api.waitForLine('the API is listening')) as { port: number };
  const base = `http://127.0.0.1:${port}`;
  const ready = await fetch(`${base}/readyz`);
  expect([ready.status, await ready.json()]).toEqual([
    200,
    { ready: true, checks: { database: { ok: true }, migrations: { ok: true }, triggers: { ok: true } } },
  ]);
  const created = await fetch(`${base}/api/v1/patients/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(aPatient()),
  });
  expect(created.status).toBe(201);
  expect(await api.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  await database.assertNoLeaks();
});

it('captures by triggers when told so, with the context of the request', async () => {
  const port = String(await findFreePort());
  const api = await spawnProgram(program, { env: environment({ PORT: port, OUTBOX_CAPTURE: 'trigger' }) });
  await api.waitForLine('the API is listening');
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/patients`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-correlation-id': 'by-trigger' },
    body: JSON.stringify({ name: 'A', email: 'by-trigger@example.com' }),
  });
  expect(answer.status).toBe(201);
  expect(await query("SELECT event_type FROM signalbox.outbox WHERE correlation_id = 'by-trigger'")).toEqual([
    { event_type: 'patient.created' },
  ]);
  expect((await api.kill('SIGTERM')).code).toBe(0);
});

it('refuses the trigger engine in one line when its triggers are missing, and names the command', async () => {
  await query('DROP TRIGGER signalbox_patient_insert ON patients');
  const api = await spawnProgram(program, { env: environment({ PORT: '8000', OUTBOX_CAPTURE: 'trigger' }) });
  expect((await api.exited).code).toBe(1);
  expect(api.output()).toContain('npx signalbox sync');
  expect(api.output()).not.toContain('    at ');
});

it('says in one line that the trigger engine has to ask the database first', async () => {
  const DATABASE_URL = 'postgresql://somebody:secret@127.0.0.1:1/none';
  const api = await spawnProgram(program, {
    env: environment({ OUTBOX_CAPTURE: 'trigger', PORT: '8000', DATABASE_URL }),
  });
  expect((await api.exited).code).toBe(1);
  expect(api.output()).toContain('Start the database or mend DATABASE_URL');
  expect(api.output()).not.toContain('    at ');
  expect(api.output()).not.toContain('secret');
});

it('tells all problems of its configuration at once', async () => {
  const api = await spawnProgram(program, { env: { PORT: 'http', OUTBOX_CAPTURE: 'magic' } });
  expect((await api.exited).code).toBe(1);
  for (const name of ['DATABASE_URL', 'PORT', 'OUTBOX_CAPTURE']) expect(api.output()).toContain(name);
});

it('names the variable that moves a port which is taken', async () => {
  const port = String(await findFreePort());
  const first = await spawnProgram(program, { env: environment({ PORT: port }) });
  await first.waitForLine('the API is listening');
  const second = await spawnProgram(program, { env: environment({ PORT: port }) });
  expect((await second.exited).code).toBe(1);
  expect(second.output()).toContain(`Port ${port} on 127.0.0.1 is taken by another program.`);
  expect(second.output()).toContain('set PORT to another port');
  await first.kill('SIGTERM');
});

it('loads no Kafka client, whatever it loads', async () => {
  const report = `process.on('exit', () => console.log(Object.keys(require.cache).join('\\n')))`;
  const preload = `data:text/javascript,${encodeURIComponent(
    `import { createRequire } from 'node:module'; const require = createRequire('/'); ${report}`,
  )}`;
  const main = join(await compile(), `${program}.js`);
  const api = await spawnProcess({
    command: process.execPath,
    args: ['--import', preload, main, '--help'],
    cwd: projectRoot,
  });
  expect((await api.exited).code).toBe(0);
  expect(api.output()).toContain('The HealthCore REST API');
  const loaded = api.lines().filter((line) => line.endsWith('.js'));
  expect(loaded.some((file) => /[\\/]express[\\/]/.test(file))).toBe(true);
  expect(loaded.some((file) => /[\\/]src[\\/]api[\\/]app\.js$/.test(file))).toBe(true);
  expect(loaded.filter((file) => /kafka/i.test(file.replace(projectRoot, '')))).toEqual([]);
});
