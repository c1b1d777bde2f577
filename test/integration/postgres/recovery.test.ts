import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isAlive } from '../../../dev/postgres/processes';
import { killPrograms, type RunningProgram } from '../../support/process';
import { waitFor } from '../../support/waitFor';
import { query, temporary, type Temporary } from './temporary';

let place: Temporary;

beforeEach(async () => {
  place = await temporary();
});
afterEach(async () => {
  await killPrograms();
  await place.cleanUp();
});

async function upLine(program: RunningProgram): Promise<{ pid: number; url: string }> {
  const [, pid, port] = (await program.waitForLine('up')).split(' ');
  await place.watch(Number(pid));
  return { pid: Number(pid), url: `postgresql://signalbox@127.0.0.1:${port}/signalbox` };
}

describe('after kill -9', () => {
  it('of the program that started it, the server is replaced and nothing committed is lost', async () => {
    const parent = await place.startInChild();
    const orphan = await upLine(parent);
    await query(orphan.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await parent.kill();
    expect(await isAlive(orphan.pid)).toBe(true);
    const { url, pid } = await place.start();
    expect(pid).not.toBe(orphan.pid);
    expect(await isAlive(orphan.pid)).toBe(false);
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('of the server, `exited` tells, and the next start recovers what was committed', async () => {
    const postgres = await place.start();
    await query(postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(postgres.pid, 'SIGKILL');
    await postgres.exited;
    await postgres.stop();
    const { url } = await place.start();
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('of both at once, too', async () => {
    const parent = await place.startInChild();
    const server = await upLine(parent);
    await query(server.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    process.kill(server.pid, 'SIGKILL');
    await parent.kill();
    const { url } = await place.start();
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('of a program that was creating the data directory, the next start begins anew and clears up', async () => {
    const parent = await place.startInChild();
    const beside = dirname(place.dataDir);
    const halfMade = async (): Promise<boolean> => {
      const drafts = (await list(beside)).filter((name) => name.startsWith('postgres.initdb-'));
      const entries = await Promise.all(drafts.map((name) => list(join(beside, name))));
      return entries.flat().includes('base');
    };
    await waitFor(halfMade, { what: 'a half-made data directory', intervalMs: 1 });
    await parent.kill();
    expect(await list(beside)).not.toContain('postgres');
    const { url } = await place.start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect((await list(beside)).sort()).toEqual(['postgres', 'postgres.log', 'postgres.owner']);
  });
});

describe('a server that another living program started', () => {
  it('is left alone, and the refusal names that program', async () => {
    const other = await place.startInChild();
    const { pid, url } = await upLine(other);
    await expect(place.start()).rejects.toMatchObject({
      problem: 'already-running',
      message: expect.stringContaining(`Process ${other.pid} already runs Postgres`) as string,
    });
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    process.kill(pid, 'SIGINT');
    await waitFor(async () => !(await isAlive(pid)), { what: 'the server to stop' });
  });
});

describe("a pid file whose pid is another program's by now", () => {
  let bystander: ChildProcess | undefined;
  afterEach(() => bystander?.kill());

  it('neither stops the start nor that program', async () => {
    const postgres = await place.start();
    await postgres.stop();
    bystander = await bystanderOfTheSameUser();
    const file = [bystander.pid, place.dataDir, '1700000000', '5432', '', '127.0.0.1', '', 'ready   ', ''];
    await writeFile(join(place.dataDir, 'postmaster.pid'), file.join('\n'));
    const { url } = await place.start();
    expect(await query(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(await isAlive(bystander?.pid ?? 0)).toBe(true);
  });

  /** Postgres takes only processes of its own user for a server that still runs. */
  async function bystanderOfTheSameUser(): Promise<ChildProcess> {
    const { uid, gid } = await stat(place.dataDir);
    const child = spawn('sleep', ['60'], {
      stdio: 'ignore',
      cwd: '/',
      ...(process.getuid?.() === 0 ? { uid, gid } : {}),
    });
    await once(child, 'spawn');
    return child;
  }
});

async function list(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
