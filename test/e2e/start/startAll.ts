/** `npm start` as a test sees it: on ports and with data of its own, so that many can run side by side. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { registerProcess } from '../../../dev/kafka/watchman';
import { findFreePort } from '../../../dev/postgres/ports';
import { stopOrphan } from '../../../dev/postgres/postmaster';
import { isAlive } from '../../../dev/postgres/processes';
import { ProcessFile, stopLeftovers } from '../../../dev/start/leftovers';
import { fromSetup, variables } from '../../support/environment';
import { silentLogger } from '../../support/logger';
import { type RunningProgram, spawnProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';

const portVariables = [
  'PORT',
  'RELAY_PORT',
  'CONSUMERS_PORT',
  'EMBEDDED_POSTGRES_PORT',
  'EMBEDDED_KAFKA_PORT',
] as const;

export type Environment = Record<string, string>;

export interface Recorded {
  name: string;
  pid: number;
}

/** Free ports and an empty data directory. A developer's own .env must not matter: what is set, if empty, wins. */
export async function newEnvironment(): Promise<Environment> {
  const ports = new Set<number>();
  while (ports.size < portVariables.length) ports.add(await findFreePort());
  const directory = await mkdtemp(join(tmpdir(), 'signalbox-start-'));
  return {
    ...Object.fromEntries(portVariables.map((name, index) => [name, String([...ports][index])])),
    SIGNALBOX_DATA_DIR: directory,
    DATABASE_URL: '',
    KAFKA_BOOTSTRAP_SERVERS: '',
    LOG_LEVEL: 'info',
  };
}

export const npmStart = (env: Environment, ...args: string[]): Promise<RunningProgram> =>
  spawnProgram('dev/start/main', { env, args });

/** A supervisor whose parts are all ready. */
export async function startAll(env: Environment, ...args: string[]): Promise<RunningProgram> {
  const program = await npmStart(env, ...args);
  await program.waitForLine(/^Signalbox is ready/, 120_000);
  // A test run that is killed must not leave a Postgres behind, which has no leash.
  await registerProcess(fromSetup(variables.directory), await postgresPid(env));
  return program;
}

/** What runs below the supervisor: its programs and Postgres. */
export async function processesOf(env: Environment): Promise<Recorded[]> {
  const text = await readFile(join(env['SIGNALBOX_DATA_DIR'] ?? '', 'processes.json'), 'utf8');
  const programs = (JSON.parse(text) as Recorded[]).map(({ name, pid }) => ({ name, pid }));
  return [...programs, { name: 'postgres', pid: await postgresPid(env) }];
}

export async function pidOf(name: string, env: Environment): Promise<number> {
  const found = (await processesOf(env)).find((process) => process.name === name);
  if (!found) throw new Error(`No process ${name}`);
  return found.pid;
}

/** Fails, and names them, when some of the processes do not end. */
export async function expectAllGone(processes: readonly Recorded[]): Promise<void> {
  for (const { name, pid } of processes) {
    await waitFor(async () => !(await isAlive(pid)), {
      what: `the end of ${name} (${pid})`,
      deadlineMs: 60_000,
    });
  }
}

/** Whatever a test has left of it: the supervisor stops, and if it failed to stop its parts, they are killed. */
export async function cleanUp(program: RunningProgram | undefined, env: Environment): Promise<void> {
  if (program !== undefined) {
    program.signal('SIGTERM');
    await program.exited;
  }
  const directory = env['SIGNALBOX_DATA_DIR'] ?? '';
  await stopLeftovers(new ProcessFile(join(directory, 'processes.json')).read(), 0);
  await stopOrphan(join(directory, 'postgres'), silentLogger());
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

export const apiOf = (env: Environment): string => `http://127.0.0.1:${env['PORT']}/api/v1`;

export async function post(url: string, body: object = {}): Promise<Record<string, string>> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Record<string, string>;
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${JSON.stringify(answer)}`);
  return answer;
}

/** A new patient's id. */
export async function createPatient(env: Environment): Promise<string> {
  const email = `${Math.random().toString(36).slice(2)}@example.com`;
  const { id = '' } = await post(`${apiOf(env)}/patients`, { name: 'Test Patient', email });
  return id;
}

/** Waits until the console has shown an event of that aggregate. */
export async function seenOnConsole(program: RunningProgram, eventType: string, id: string): Promise<void> {
  const shown = (line: string): boolean =>
    line.startsWith('console') && line.includes(`"${eventType}"`) && line.includes(id);
  await waitFor(() => program.lines().some(shown), {
    what: `${eventType} of ${id} on the console`,
    deadlineMs: 60_000,
  });
}

/** Waits until the audit log holds those events of the aggregate, in this order. */
export async function audited(env: Environment, id: string, expected: readonly string[]): Promise<void> {
  const client = new Client({
    connectionString: `postgresql://signalbox@127.0.0.1:${env['EMBEDDED_POSTGRES_PORT']}/signalbox`,
  });
  await client.connect();
  try {
    await waitFor(
      async () => {
        const { rows } = await client.query<{ event_type: string }>(
          'SELECT event_type FROM audit_log WHERE aggregate_id = $1 ORDER BY sequence',
          [id],
        );
        return rows.map((row) => row.event_type).join() === expected.join();
      },
      { what: `${expected.join()} of ${id} in the audit log`, deadlineMs: 60_000 },
    );
  } finally {
    await client.end();
  }
}

async function postgresPid(env: Environment): Promise<number> {
  const file = join(env['SIGNALBOX_DATA_DIR'] ?? '', 'postgres', 'postmaster.pid');
  return Number((await readFile(file, 'utf8')).split('\n')[0]);
}
