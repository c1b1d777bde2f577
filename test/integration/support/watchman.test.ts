import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../dev/postgres/processes';
import { compile } from '../../support/compile';
import { killPrograms, spawnProcess, type RunningProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-watchman-'));
});
afterEach(async () => {
  await killPrograms();
  await rm(directory, { recursive: true, force: true });
});

/** A test run in small: it starts a program that would stay for ever, and says its pid. */
async function startRun(end: string): Promise<RunningProgram> {
  const script = `
    const { spawn } = require('node:child_process');
    const { postWatchman, registerProcess } = require(process.env.MODULE);
    void (async () => {
      const dismiss = await postWatchman(process.env.DIRECTORY);
      const stubborn = spawn('sh', ['-c', 'trap "" INT TERM QUIT; while :; do sleep 0.2; done'], { detached: true, stdio: 'ignore' });
      await registerProcess(process.env.DIRECTORY, stubborn.pid);
      console.log('started', stubborn.pid);
      ${end}
    })();
  `;
  const env = { MODULE: join(await compile(), 'dev/kafka/watchman.js'), DIRECTORY: directory };
  return spawnProcess({ command: process.execPath, args: ['-e', script], env });
}

const stay = 'setInterval(() => undefined, 1000);';

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

describe('the watchman', () => {
  it.each(['SIGKILL', 'SIGINT', 'SIGTERM'] as const)(
    'ends what a run had started and removes its directory after %s',
    async (signal) => {
      const run = await startRun(stay);
      const pid = Number((await run.waitForLine('started')).split(' ')[1]);
      expect(await isAlive(pid)).toBe(true);
      await run.kill(signal);
      await waitFor(async () => !(await isAlive(pid)), { what: 'the program to be killed' });
      await waitFor(async () => !(await exists(directory)), { what: 'the directory to be removed' });
    },
  );

  it('goes without a trace when it is dismissed', async () => {
    const run = await startRun(
      "await dismiss(); console.log('dismissed'); stubborn.kill('SIGKILL'); stubborn.unref();",
    );
    await run.waitForLine('dismissed');
    await expect(run.exited).resolves.toEqual({ code: 0, signal: null });
    expect(await exists(directory)).toBe(true);
  });
});
