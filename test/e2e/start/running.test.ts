import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { killPrograms, type RunningProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';
import {
  apiOf,
  audited,
  cleanUp,
  createPatient,
  type Environment,
  expectAllGone,
  newEnvironment,
  npmStart,
  pidOf,
  post,
  processesOf,
  seenOnConsole,
  startAll,
} from './startAll';

jest.setTimeout(240_000);

let env: Environment;
let program: RunningProgram;

beforeAll(async () => {
  env = await newEnvironment();
  program = await startAll(env);
});

afterAll(async () => {
  await cleanUp(program, env);
  await killPrograms();
});

const readyz = async (port: string | undefined): Promise<number> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`)).status;

describe('npm start', () => {
  it('has everything ready when it says so', async () => {
    for (const port of ['PORT', 'RELAY_PORT', 'CONSUMERS_PORT']) expect(await readyz(env[port])).toBe(200);
    const names = (await processesOf(env)).map(({ name }) => name).sort();
    expect(names).toEqual(['api', 'broker', 'console', 'consumers', 'postgres', 'relay']);
    expect(program.output()).toContain(`curl -X POST http://localhost:${env['PORT']}/api/v1/patients`);
  });

  it('brings what happens to a patient to the audit log and to the console', async () => {
    const id = await createPatient(env);
    await seenOnConsole(program, 'patient.created', id);
    await audited(env, id, ['patient.created']);
  });

  it('brings a cancelled appointment there as well', async () => {
    const appointment = await post(`${apiOf(env)}/appointments`, {
      patient_id: await createPatient(env),
      practitioner: 'Dr Test',
      starts_at: '2040-01-05T09:00:00Z',
      ends_at: '2040-01-05T09:30:00Z',
    });
    const id = appointment['id'] ?? '';
    await post(`${apiOf(env)}/appointments/${id}/cancel`);
    await seenOnConsole(program, 'appointment.cancelled', id);
    await audited(env, id, ['appointment.booked', 'appointment.cancelled']);
  });

  it('refuses to start beside itself, says why and what is taken, and leaves the first alone', async () => {
    const before = await processesOf(env);
    const second = await npmStart(env);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.output()).toContain(
      `Signalbox already runs with the data in ${env['SIGNALBOX_DATA_DIR']} (process ${program.pid})`,
    );
    for (const variable of [
      'PORT',
      'RELAY_PORT',
      'CONSUMERS_PORT',
      'EMBEDDED_POSTGRES_PORT',
      'EMBEDDED_KAFKA_PORT',
    ]) {
      expect(second.output()).toMatch(
        new RegExp(`Port ${env[variable]}, wanted by .*, is taken .* set ${variable} to another port`),
      );
    }
    expect(await processesOf(env)).toEqual(before);
    expect(await readyz(env['PORT'])).toBe(200);
  });

  it('names each port that is taken, with other data too', async () => {
    const other: Environment = {
      ...(await newEnvironment()),
      PORT: env['PORT'] ?? '',
      RELAY_PORT: env['RELAY_PORT'] ?? '',
    };
    const second = await npmStart(other);
    expect(await second.exited).toEqual({ code: 1, signal: null });
    const complaints = second.lines().filter((line) => line.includes('is taken'));
    expect(complaints).toEqual([
      `Port ${env['PORT']}, wanted by the API, is taken by another program: free it, or set PORT to another port.`,
      `Port ${env['RELAY_PORT']}, wanted by the relay, is taken by another program: free it, or set RELAY_PORT to another port.`,
    ]);
    expect(existsSync(join(other['SIGNALBOX_DATA_DIR'] ?? '', 'postgres'))).toBe(false);
    await cleanUp(undefined, other);
  });

  it('brings back a broker that was killed, and what was written meanwhile arrives', async () => {
    const broker = await pidOf('broker', env);
    process.kill(broker, 'SIGKILL');
    const id = await createPatient(env);
    await program.waitForLine(/broker ended by itself \(killed by SIGKILL\)/);
    await program.waitForLine(/broker is running again/);
    expect(await pidOf('broker', env)).not.toBe(broker);
    await audited(env, id, ['patient.created']);
    await seenOnConsole(program, 'patient.created', id);
  });

  it('brings back a Postgres that was killed, with everything that was written', async () => {
    const id = await createPatient(env);
    process.kill(await pidOf('postgres', env), 'SIGKILL');
    await program.waitForLine(/postgres is running again/);
    await waitFor(async () => (await readyz(env['PORT'])) === 200, {
      what: 'the API to be ready',
      deadlineMs: 60_000,
    });
    expect((await fetch(`${apiOf(env)}/patients/${id}`)).status).toBe(200);
    await audited(env, await createPatient(env), ['patient.created']);
  });

  it('stops cleanly on Ctrl-C, which npm passes on a second time, and leaves nothing behind', async () => {
    const processes = await processesOf(env);
    program.signal('SIGINT');
    await delay(50);
    program.signal('SIGINT');
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.output()).toContain('everything has stopped');
    await expectAllGone(processes);
    expect(existsSync(join(env['SIGNALBOX_DATA_DIR'] ?? '', 'processes.json'))).toBe(false);
  });
});
