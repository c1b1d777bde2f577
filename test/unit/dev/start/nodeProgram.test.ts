import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../../../dev/postgres/processes';
import { nodeProgram, type NodeProgram } from '../../../../dev/start/nodeProgram';
import { waitFor } from '../../../support/waitFor';

let directory: string;
const pids: number[] = [];
const gone: number[] = [];
let printed: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'signalbox-start-'));
  printed = [];
});

afterEach(async () => {
  for (const pid of pids.splice(0)) if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
  rmSync(directory, { recursive: true });
});

function part(source: string, options: Partial<NodeProgram> = {}) {
  const program = join(directory, 'program.js');
  writeFileSync(program, source);
  return nodeProgram({
    name: 'relay',
    flags: [],
    program,
    args: [],
    cwd: directory,
    environment: { PATH: process.env['PATH'] },
    readiness: { line: /^ready$/ },
    readyWithinMs: 60_000,
    stopWithinMs: 60_000,
    onLine: (line) => printed.push(line),
    readable: (line) => line.toUpperCase(),
    onSpawn: async (pid) => void pids.push(pid),
    onExit: (pid) => void gone.push(pid),
    ...options,
  });
}

const launch = (source: string, options?: Partial<NodeProgram>) =>
  part(source, options).launch(new AbortController().signal);

const idle = 'setInterval(() => {}, 1e6);';

describe('a program of ours as a part', () => {
  it('is ready when it prints so, and passes on every line', async () => {
    const run = await launch(
      `console.log('one\\ntwo'); console.error('three'); console.log('ready'); ${idle}`,
    );
    expect([...printed].sort()).toEqual(['one', 'ready', 'three', 'two']);
    await run.stop();
    expect(await run.ended).toBe('killed by SIGTERM');
    expect(await isAlive(pids[0] ?? 0)).toBe(false);
    expect(gone).toContain(pids[0]);
  });

  it('is ready when its address answers 200, not before', async () => {
    let status = 503;
    let asked = 0;
    const server = createServer((_request, response) => {
      asked += 1;
      if (asked > 3) status = 200;
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const run = await launch(idle, { readiness: { url: `http://127.0.0.1:${port}/readyz` } });
    expect(asked).toBe(4);
    await run.stop();
    await new Promise((resolve) => server.close(resolve));
  });

  it('shows the last lines of one that ends before it is ready, those of its very end included', async () => {
    const source = `console.log('first'); process.stderr.write('the reason\\n'); process.exit(3);`;
    await expect(launch(source)).rejects.toThrow(
      /^relay ended before it was ready \(exit code 3\)\. Its last lines:\n(.|\n)* {2}THE REASON/,
    );
  });

  it('is stopped when it does not get ready in time', async () => {
    await expect(launch(`console.log('waiting'); ${idle}`, { readyWithinMs: 500 })).rejects.toThrow(
      'relay was not ready within 0.5 s',
    );
    expect(await isAlive(pids[0] ?? 0)).toBe(false);
  });

  it('leaves nothing behind when it is no longer wanted before it is ready', async () => {
    const abort = new AbortController();
    const launched = part(idle).launch(abort.signal);
    await waitFor(() => pids.length === 1, { what: 'the process' });
    abort.abort();
    await expect(launched).rejects.toThrow('relay was stopped before it was ready');
    expect(await isAlive(pids[0] ?? 0)).toBe(false);
  });

  it('is killed when it does not stop in time', async () => {
    const run = await launch(`process.on('SIGTERM', () => {}); console.log('ready'); ${idle}`, {
      stopWithinMs: 200,
    });
    await run.stop();
    expect(await run.ended).toBe('killed by SIGKILL');
  });

  it('tells how it ended by itself', async () => {
    const run = await launch(`console.log('ready'); setTimeout(() => process.exit(7), 10);`);
    expect(await run.ended).toBe('exit code 7');
    await run.stop();
  });

  it('belongs to a process group of its own, which Ctrl-C in a terminal does not reach', async () => {
    const run = await launch(`console.log('ready'); ${idle}`);
    // A signal to the group -pid reaches it only if it leads one.
    process.kill(-(pids[0] ?? 0), 'SIGKILL');
    expect(await run.ended).toBe('killed by SIGKILL');
  });
});
