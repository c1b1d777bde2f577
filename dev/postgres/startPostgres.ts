/**
 * A real Postgres for a developer's machine and for tests, from the binaries of an npm package: nothing to install.
 *
 * Beside the data directory `<dir>` lie `<dir>.owner` (who runs it), `<dir>.log` (the server's log, emptied at each
 * start) and for the moments of its creation `<dir>.initdb-*`.
 *
 * States: no directory → created → running → stopped. Whatever the last run left is mended by the next start:
 * - the program that started the server was killed: the server lives on; it is stopped and started anew, because its
 *   settings or port may be others now. If that program lives, the start is refused;
 * - the server itself was killed: Postgres recovers from its log, as after a power cut;
 * - initdb was interrupted: its draft is removed and made anew.
 *
 * Everybody on this machine may connect, without a password, as a superuser ("trust"): it listens on loopback only and
 * is meant for development. Settings are durable unless the caller says otherwise: a commit that was answered survives
 * kill -9 and power cuts.
 */
import { resolve } from 'node:path';
import { Client, escapeIdentifier } from 'pg';
import type { Logger } from 'pino';
import { chooseAccount } from './account';
import { prepareBinaries, type Binaries } from './binaries';
import { PostgresStartError } from './errors';
import { initialise } from './initialise';
import { launch, portTaken, type Server } from './launch';
import { takeOwnership } from './ownership';
import { findFreePort, isPortFree } from './ports';
import { stopOrphan } from './postmaster';

export interface PostgresOptions {
  /** Created if missing. Kept when the server stops. */
  readonly dataDir: string;
  /** On 127.0.0.1; 0 picks a free one. */
  readonly port: number;
  readonly logger: Logger;
  /** Postgres settings by name, e.g. `{ fsync: 'off' }`. */
  readonly settings?: Readonly<Record<string, string>>;
}

export interface EmbeddedPostgres {
  /** Of the database `signalbox`, as the superuser `signalbox`. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves when the server has ended, whether it was stopped or died. */
  readonly exited: Promise<void>;
  /** Resolves when the server has ended. May be called again, and when it has died. */
  stop(): Promise<void>;
}

const user = 'signalbox';
const database = 'signalbox';

/** Throws `PostgresStartError`, whose message is one line for the person at the terminal. */
export async function startPostgres(options: PostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir);
  const ownership = await takeOwnership(dataDir);
  let binaries: Binaries | undefined;
  const cleanUp = async (): Promise<void> => {
    await binaries?.dispose();
    await ownership.release();
  };
  try {
    const account = await chooseAccount(dataDir);
    await stopOrphan(dataDir, options.logger);
    binaries = await prepareBinaries(dataDir, account);
    const { server, port } = await createAndLaunch({ ...options, dataDir }, account, binaries);
    const url = `postgresql://${user}@127.0.0.1:${port}/${database}`;
    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => (stopped ??= stopAndCleanUp(server, cleanUp));
    return { url, port, pid: server.pid, exited: server.exited, stop };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

async function createAndLaunch(
  options: PostgresOptions,
  account: Awaited<ReturnType<typeof chooseAccount>>,
  binaries: Binaries,
): Promise<{ server: Server; port: number }> {
  const { dataDir, logger, settings = {} } = options;
  if (options.port !== 0 && !(await isPortFree(options.port))) throw portTaken(options.port);
  const logFile = `${dataDir}.log`;
  await initialise({
    dataDir,
    account,
    binaries,
    user,
    logFile,
    logger,
    durable: settings['fsync'] !== 'off',
  });
  const start = (port: number): Promise<Server> =>
    launch({ postgres: binaries.postgres, dataDir, port, account, settings, logFile });
  const started =
    options.port === 0 ? await onFreePort(start) : { port: options.port, server: await start(options.port) };
  try {
    await ensureDatabase(started.port);
  } catch (error) {
    await started.server.stop();
    throw error;
  }
  return started;
}

/** Somebody else may take the free port before the server does; then another one is tried. */
async function onFreePort(
  start: (port: number) => Promise<Server>,
): Promise<{ server: Server; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await findFreePort();
    try {
      return { port, server: await start(port) };
    } catch (error) {
      const lostTheRace = error instanceof PostgresStartError && error.problem === 'port-taken';
      if (!lostTheRace || attempt === 5) throw error;
    }
  }
}

async function ensureDatabase(port: number): Promise<void> {
  const client = new Client({ host: '127.0.0.1', port, user, database: 'postgres' });
  await client.connect();
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(database)}`);
  } finally {
    await client.end();
  }
}

async function stopAndCleanUp(server: Server, cleanUp: () => Promise<void>): Promise<void> {
  try {
    await server.stop();
  } finally {
    await cleanUp();
  }
}
