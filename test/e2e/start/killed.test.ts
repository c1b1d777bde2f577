import { setTimeout as delay } from 'node:timers/promises';
import { killPrograms, type RunningProgram } from '../../support/process';
import {
  apiOf,
  audited,
  cleanUp,
  createPatient,
  type Environment,
  expectAllGone,
  newEnvironment,
  pidOf,
  processesOf,
  startAll,
} from './startAll';

jest.setTimeout(240_000);

let env: Environment;
let program: RunningProgram | undefined;

beforeEach(async () => {
  env = await newEnvironment();
});

afterEach(async () => {
  await cleanUp(program, env);
  await killPrograms();
});

describe('npm start after it was killed', () => {
  it('starts again at once, keeps the data and stops what was left', async () => {
    program = await startAll(env);
    const id = await createPatient(env);
    await audited(env, id, ['patient.created']);
    const left = await processesOf(env);
    // One that hangs can't notice that its supervisor is gone.
    process.kill(await pidOf('relay', env), 'SIGSTOP');
    await program.kill('SIGKILL');
    program = await startAll(env);
    expect((await fetch(`${apiOf(env)}/patients/${id}`)).status).toBe(200);
    await audited(env, await createPatient(env), ['patient.created']);
    const now = new Set((await processesOf(env)).map(({ pid }) => pid));
    await expectAllGone(left.filter(({ pid }) => !now.has(pid)));
    expect(left.filter(({ pid }) => now.has(pid))).toEqual([]);
  });

  it('takes its programs along, even if nobody starts it again', async () => {
    program = await startAll(env);
    const processes = await processesOf(env);
    await program.kill('SIGKILL');
    program = undefined;
    // Postgres has no leash; the next start stops it.
    await expectAllGone(processes.filter(({ name }) => name !== 'postgres'));
  });
});

describe('a second Ctrl-C', () => {
  it('ends at once what does not stop', async () => {
    program = await startAll(env);
    const processes = await processesOf(env);
    process.kill(await pidOf('console', env), 'SIGSTOP');
    program.signal('SIGINT');
    await program.waitForLine('a second Ctrl-C ends everything at once');
    // Sooner it would pass for an echo of the first.
    await delay(700);
    program.signal('SIGINT');
    expect(await program.exited).toEqual({ code: 130, signal: null });
    await expectAllGone(processes);
  });
});

describe('npm start with KAFKA_ENABLED=false', () => {
  it('serves requests, and says nothing of Kafka', async () => {
    program = await startAll({ ...env, KAFKA_ENABLED: 'false' });
    await createPatient(env);
    expect((await processesOf(env)).map(({ name }) => name)).not.toContain('console');
  });
});

describe('npm start -- --fresh', () => {
  it('begins without the data of earlier runs', async () => {
    program = await startAll(env);
    const id = await createPatient(env);
    await audited(env, id, ['patient.created']);
    program.signal('SIGTERM');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    program = await startAll(env, '--fresh');
    expect((await fetch(`${apiOf(env)}/patients/${id}`)).status).toBe(404);
  });
});
