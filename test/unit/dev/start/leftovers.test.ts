import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTimeOf } from '../../../../dev/postgres/processes';
import { ProcessFile, stopLeftovers } from '../../../../dev/start/leftovers';

let directory: string;
let file: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
  file = join(directory, 'processes.json');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(directory, { recursive: true });
});

async function startProcess(source = ''): Promise<{ child: ChildProcess; pid: number; startTime: string }> {
  const child = spawn(process.execPath, ['-e', `${source}; console.log('up'); setInterval(() => {}, 1e6)`]);
  children.push(child);
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  return { child, pid, startTime: (await startTimeOf(pid)) ?? '' };
}

describe('what an earlier start left running', () => {
  it('is known to the next start', async () => {
    const { pid, startTime } = await startProcess();
    await new ProcessFile(file).add('relay', pid);
    expect(new ProcessFile(file).read()).toEqual([{ name: 'relay', pid, startTime }]);
  });

  it('is crossed out when it has ended', async () => {
    const [one, two] = [await startProcess(), await startProcess()];
    const processes = new ProcessFile(file);
    await processes.add('relay', one.pid);
    await processes.add('api', two.pid);
    processes.remove(one.pid);
    expect(new ProcessFile(file).read().map(({ name }) => name)).toEqual(['api']);
    processes.clear();
    expect(new ProcessFile(file).read()).toEqual([]);
  });

  it('is stopped', async () => {
    const { child, pid, startTime } = await startProcess();
    const exit = once(child, 'exit');
    expect(await stopLeftovers([{ name: 'relay', pid, startTime }], 60_000)).toEqual(['relay']);
    expect(await exit).toEqual([null, 'SIGTERM']);
  });

  it('is killed when it does not listen', async () => {
    const { child, pid, startTime } = await startProcess(`process.on('SIGTERM', () => {})`);
    const exit = once(child, 'exit');
    await stopLeftovers([{ name: 'relay', pid, startTime }], 100);
    expect(await exit).toEqual([null, 'SIGKILL']);
  });

  it('is not confused with another program that was given the same pid since', async () => {
    const { child, pid } = await startProcess();
    expect(await stopLeftovers([{ name: 'relay', pid, startTime: '1' }], 60_000)).toEqual([]);
    expect(child.exitCode ?? child.signalCode).toBeNull();
    process.kill(pid, 0);
  });

  it('is nothing when all of it has ended, or the list is damaged', async () => {
    expect(await stopLeftovers([{ name: 'relay', pid: 2 ** 22 + 1, startTime: '1' }], 60_000)).toEqual([]);
    writeFileSync(file, '[{"name": "relay", "pid": -1, "startTime": "1"}]');
    expect(new ProcessFile(file).read()).toEqual([]);
    writeFileSync(file, '[{"na');
    expect(new ProcessFile(file).read()).toEqual([]);
  });
});
