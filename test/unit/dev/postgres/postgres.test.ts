import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, isPortFree } from '../../../../dev/postgres/ports';
import { identifyPostmaster, isAlive, startTimeOf } from '../../../../dev/postgres/processes';
import { readComplaint } from '../../../../dev/postgres/serverLog';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-unit-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe("the server's complaint", () => {
  const prefix = '2026-01-05 19:00:00.000 UTC [7]';

  it.each([
    [
      'its first fatal line',
      `${prefix} LOG:  starting\n${prefix} FATAL:  too bad\n${prefix} FATAL:  worse\n`,
      'too bad',
    ],
    ["initdb's error", 'creating\ninitdb: error: no space left\ninitdb: removing\n', 'no space left'],
    ['its last line, if none is fatal', 'one\ntwo\n', 'two'],
    ['nothing', '', 'it said nothing'],
  ])('is %s', async (_what, text, complaint) => {
    const file = join(directory, 'log');
    await writeFile(file, text);
    expect(await readComplaint(file)).toBe(complaint);
  });
});

describe('a process', () => {
  it('that has ended is not alive and has no start time', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    const pid = child.pid ?? 0;
    expect(pid).toBeGreaterThan(0);
    expect(await isAlive(pid)).toBe(false);
    expect(await startTimeOf(pid)).toBeUndefined();
  });

  it('is known by its start time, which stays', async () => {
    const first = await startTimeOf(process.pid);
    expect(first).toMatch(/\d/);
    expect(await startTimeOf(process.pid)).toBe(first);
    expect(await isAlive(process.pid)).toBe(true);
  });

  it('that works in the data directory but is no Postgres is not taken for one', async () => {
    const child = spawn('sleep', ['60'], { cwd: directory });
    await once(child, 'spawn');
    expect(await identifyPostmaster(child.pid ?? 0, directory)).toBe('none');
    child.kill();
    await once(child, 'exit');
  });
});

describe('a port', () => {
  it('is free until somebody listens on it', async () => {
    const port = await findFreePort();
    expect(await isPortFree(port)).toBe(true);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect(await isPortFree(port)).toBe(false);
    server.close();
    await once(server, 'close');
    expect(await isPortFree(port)).toBe(true);
  });
});
