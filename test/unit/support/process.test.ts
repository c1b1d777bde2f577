import { killPrograms, spawnProcess, type RunningProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';

function run(script: string, env: Record<string, string> = {}): Promise<RunningProgram> {
  return spawnProcess({ command: process.execPath, args: ['-e', script], env });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

const stay = 'console.log("up"); setInterval(() => undefined, 1000)';

afterEach(killPrograms);

describe('a spawned program', () => {
  it('gets the environment that it is given and nothing of the tests', async () => {
    const program = await run('console.log(process.env.COLOUR, process.env.JEST_WORKER_ID)', {
      COLOUR: 'green',
    });
    await program.exited;
    expect(program.output()).toBe('green undefined\n');
  });

  it('can be waited for by what it prints on either stream, also after it was printed', async () => {
    const program = await run('console.error("ready on 8000"); setInterval(() => undefined, 1000)');
    await expect(program.waitForLine(/ready on \d+/)).resolves.toBe('ready on 8000');
    await expect(program.waitForLine('ready')).resolves.toBe('ready on 8000');
  });

  it('that ends without printing the line says what it printed instead', async () => {
    const program = await run('console.log("no database"); process.exit(3)');
    await expect(program.waitForLine('ready')).rejects.toThrow(/without printing ready.*no database/s);
    await expect(program.exited).resolves.toEqual({ code: 3, signal: null });
  });

  it('can be killed at any instant, even when stopped, and once more', async () => {
    const program = await run(stay);
    await program.waitForLine('up');
    program.signal('SIGSTOP');
    await expect(program.kill()).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    await expect(program.kill()).resolves.toEqual({ code: null, signal: 'SIGKILL' });
    expect(isAlive(program.pid)).toBe(false);
  });

  it('does not outlive the test', async () => {
    const program = await run(stay);
    await killPrograms();
    await waitFor(() => !isAlive(program.pid), { what: 'the program to be gone' });
  });

  it('that a grandchild survives still counts as ended', async () => {
    const script = `
      const { spawn } = require('node:child_process');
      const child = spawn('sleep', ['30'], { stdio: 'inherit', detached: true });
      console.log(child.pid);
      child.unref();
    `;
    const program = await run(script);
    await expect(program.exited).resolves.toEqual({ code: 0, signal: null });
    process.kill(Number(program.output()), 'SIGKILL');
  });

  it('that cannot be started says why', async () => {
    await expect(spawnProcess({ command: '/does/not/exist' })).rejects.toThrow('ENOENT');
  });
});
