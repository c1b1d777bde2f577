import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';
import { once } from 'node:events';
import { findFreePort, isPortFree } from '../../../dev/postgres/ports';
import { captureLogger } from '../../support/logger';
import { query, temporary, type Temporary } from './temporary';

let place: Temporary;

beforeEach(async () => {
  place = await temporary();
});
afterEach(() => place.cleanUp());

describe('the embedded Postgres', () => {
  it('starts from nothing, keeps its data over a restart, and may be stopped twice', async () => {
    const first = await place.start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    await first.stop();
    await first.exited;
    expect(await isPortFree(first.port)).toBe(true);
    const second = await place.start();
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('leaves nothing but the data and its log when it has stopped', async () => {
    const postgres = await place.start();
    await postgres.stop();
    expect((await readdir(dirname(place.dataDir))).sort()).toEqual(['postgres', 'postgres.log']);
    expect(await readdir(place.dataDir)).not.toContain('postmaster.pid');
  });

  it('is durable unless it is told otherwise', async () => {
    const { url } = await place.start({ settings: { max_connections: '17' } });
    const names = "'fsync', 'synchronous_commit', 'full_page_writes', 'max_connections'";
    const settings = await query(
      url,
      `SELECT name, setting FROM pg_settings WHERE name IN (${names}) ORDER BY name`,
    );
    expect(settings).toEqual([
      { name: 'fsync', setting: 'on' },
      { name: 'full_page_writes', setting: 'on' },
      { name: 'max_connections', setting: '17' },
      { name: 'synchronous_commit', setting: 'on' },
    ]);
  });

  it('listens on loopback only', async () => {
    const { port } = await place.start();
    const outside = Object.values(networkInterfaces())
      .flat()
      .filter((it) => it !== undefined && !it.internal && it.family === 'IPv4');
    for (const address of outside) {
      const server = createServer().listen(port, address?.address);
      await once(server, 'listening');
      server.close();
    }
    expect(await isPortFree(port)).toBe(false);
  });

  it('takes the port that it is told to', async () => {
    const port = await findFreePort();
    const postgres = await place.start({ port });
    expect(postgres.port).toBe(port);
    expect(postgres.url).toBe(`postgresql://signalbox@127.0.0.1:${port}/signalbox`);
  });

  it('says that it creates its data, and keeps what users wrote out of its log', async () => {
    const { logger, lines } = captureLogger();
    const { url } = await place.start({ logger });
    await expect(query(url, "SELECT 'ada@example.org'::integer")).rejects.toThrow('ada@example.org');
    expect(lines().join('\n')).toContain('Creating the Postgres data directory');
    expect(await readFile(`${place.dataDir}.log`, 'utf8')).not.toContain('ada@example.org');
  });
});

describe('the embedded Postgres refuses', () => {
  it('a port that is taken, and names it', async () => {
    const squatter = createServer().listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const address = squatter.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(place.start({ port })).rejects.toMatchObject({
      name: 'PostgresStartError',
      problem: 'port-taken',
      message: expect.stringMatching(
        new RegExp(`^Port ${port} on 127.0.0.1 is taken.*another port\\.$`),
      ) as string,
    });
    squatter.close();
    await once(squatter, 'close');
    await place.start({ port });
  });

  it('a directory that it runs in already', async () => {
    await place.start();
    await expect(place.start()).rejects.toMatchObject({
      problem: 'already-running',
      message: expect.stringContaining(
        `Process ${process.pid} already runs Postgres in ${place.dataDir}`,
      ) as string,
    });
  });

  it('data of another version, and says what to do', async () => {
    await mkdir(place.dataDir, { recursive: true });
    await writeFile(join(place.dataDir, 'PG_VERSION'), '14\n');
    await expect(place.start()).rejects.toMatchObject({
      problem: 'wrong-version',
      message: expect.stringMatching(
        /written by Postgres 14 and the embedded server is 18.*--fresh.*pg_dump/,
      ) as string,
    });
    expect(await readFile(join(place.dataDir, 'PG_VERSION'), 'utf8')).toBe('14\n');
  });

  it('a directory that holds something else, and leaves it alone', async () => {
    await mkdir(place.dataDir, { recursive: true });
    await writeFile(join(place.dataDir, 'thesis.txt'), 'years of work');
    await expect(place.start()).rejects.toMatchObject({ problem: 'bad-directory' });
    expect(await readFile(join(place.dataDir, 'thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('settings that the server does not know, in its words', async () => {
    await expect(place.start({ settings: { no_such_setting: '1' } })).rejects.toMatchObject({
      problem: 'start-failed',
      message: expect.stringContaining('unrecognized configuration parameter "no_such_setting"') as string,
    });
    await place.start();
  });
});
