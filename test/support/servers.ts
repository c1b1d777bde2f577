/**
 * The servers of one test run: a Postgres and a broker, unless the environment names them. Both projects that need
 * them name the same globalSetup, which jest then runs once.
 *
 * Nothing is left behind: stopped and removed by globalTeardown, or here when starting fails half-way, or, when jest
 * is killed (also by Ctrl-C, after which it runs no teardown), by the watchman.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevBroker } from '../../dev/broker/broker';
import { killRegistered, postWatchman, registerProcess } from '../../dev/kafka/watchman';
import { startPostgres } from '../../dev/postgres/startPostgres';
import { dropDatabasesOf, moveRole } from './database';
import { fromSetup, testTimeZone, variables } from './environment';
import { silentLogger } from './logger';

export interface TestServers {
  stop(): Promise<void>;
}

/** Nothing here must survive a power cut. Autovacuum would visit hundreds of databases that nobody uses any more. */
const fastSettings = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
};

/** What a run leaves on its servers is a gigabyte at most. */
const roomNeeded = 4 * 2 ** 30;

/** Where files are made fastest: on Linux a disk in memory, if there is one with room (a container's has 64 MB). */
async function memoryDisk(): Promise<string> {
  const inMemory = '/dev/shm';
  const disk = await statfs(inMemory).catch(() => undefined);
  const hasRoom = disk !== undefined && disk.bavail * disk.bsize >= roomNeeded;
  return hasRoom ? inMemory : tmpdir();
}

/** In the order in which things were started; undone backwards. */
type Undo = (() => Promise<void>)[];

/** `broker: false`: Postgres alone, for what needs no Kafka. */
export async function startServers({ broker = true } = {}): Promise<TestServers> {
  const undo: Undo = [];
  try {
    const directory = await mkdtemp(join(await memoryDisk(), 'signalbox-test-'));
    undo.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
    undo.push(await postWatchman(directory));
    // Programs of a test file whose worker died before it could end them.
    undo.push(() => killRegistered(directory));
    setVariable(undo, variables.directory, directory);
    setVariable(undo, variables.run, randomBytes(4).toString('hex'));
    if (!isSet(variables.databaseUrl)) await provideDatabase(undo, directory);
    else undo.push(() => dropDatabasesOf(fromSetup(variables.run)));
    if (broker && !isSet(variables.kafkaBrokers)) await provideBroker(undo, directory);
  } catch (error) {
    await undoAll(undo);
    throw error;
  }
  return { stop: () => undoAll(undo) };
}

async function provideDatabase(undo: Undo, directory: string): Promise<void> {
  const dataDir = join(directory, 'postgres');
  const settings = { ...fastSettings, ...(testTimeZone !== undefined && { timezone: testTimeZone }) };
  const postgres = await startPostgres({ dataDir, port: 0, logger: silentLogger(), settings });
  undo.push(() => postgres.stop());
  if (testTimeZone !== undefined) await moveRole(postgres.url, testTimeZone);
  undo.push(await registerProcess(directory, postgres.pid));
  setVariable(undo, variables.databaseUrl, postgres.url);
  setVariable(undo, variables.ownDatabase, 'yes');
}

async function provideBroker(undo: Undo, directory: string): Promise<void> {
  const broker = await startDevBroker({
    port: 0,
    dataDir: join(directory, 'broker'),
    logger: silentLogger(),
  });
  undo.push(() => broker.stop());
  setVariable(undo, variables.kafkaBrokers, broker.address);
}

/** Does all of it, whatever fails on the way, and throws the first failure. */
async function undoAll(undo: Undo): Promise<void> {
  const failures: unknown[] = [];
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) {
    try {
      await step();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

const isSet = (name: string): boolean => (process.env[name] ?? '') !== '';

function setVariable(undo: Undo, name: string, value: string): void {
  process.env[name] = value;
  undo.push(async () => void delete process.env[name]);
}
