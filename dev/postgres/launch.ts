/** Starts the server on a data directory that is in order, and waits until it takes connections. */
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Account } from './account';
import { PostgresStartError } from './errors';
import { readPostmasterFile, stopPostmaster } from './postmaster';
import { readComplaint } from './serverLog';
import { type Running, spawnInDirectory } from './spawnInDirectory';

export interface Launch {
  readonly postgres: string;
  readonly dataDir: string;
  readonly port: number;
  readonly account: Account | undefined;
  readonly settings: Readonly<Record<string, string>>;
  readonly logFile: string;
}

export interface Server {
  readonly pid: number;
  /** Resolves when the server has ended, for whatever reason. */
  readonly exited: Promise<void>;
  /** Resolves when it has ended. Sends nothing to a server that has ended: its pid may be another program's by now. */
  stop(): Promise<void>;
}

/** Crash recovery replays what was written since the last checkpoint, at most `max_wal_size` of it. */
const readyWithinMs = 120_000;
const childrenEndWithinMs = 20_000;

/**
 * Loopback only and no Unix socket, so nothing is left in /tmp that could be stale. The log must not hold what users
 * wrote: no statements, no ERROR lines (they quote values; the client gets them anyway), no DETAIL lines.
 */
const fixedSettings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

const defaultSettings = {
  max_connections: '200',
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
};

/**
 * Children of a server that was killed outlive it for a moment and hold its memory; Postgres then refuses to start, and
 * is asked again.
 */
export async function launch(options: Launch): Promise<Server> {
  const deadline = Date.now() + childrenEndWithinMs;
  for (;;) {
    try {
      return await launchOnce(options);
    } catch (error) {
      const transient = error instanceof Error && error.message.includes('pre-existing shared memory block');
      if (!transient || Date.now() > deadline) throw error;
      await sleep(100);
    }
  }
}

async function launchOnce(options: Launch): Promise<Server> {
  const server = await spawnServer(options);
  const { pid } = server;
  const exited = server.exited.then(() => undefined);
  const stop = async (): Promise<void> => {
    if (!server.hasEnded()) await stopPostmaster(pid);
    await exited;
  };
  try {
    await waitUntilReady(options, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid, exited, stop };
}

async function spawnServer(options: Launch): Promise<Running> {
  const settings = { ...defaultSettings, ...options.settings, ...fixedSettings, port: String(options.port) };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const log = await open(options.logFile, 'w');
  try {
    return await spawnInDirectory({
      file: options.postgres,
      directory: options.dataDir,
      account: options.account,
      args: (path) => ['-D', path, ...flags],
      outputFd: log.fd,
    });
  } finally {
    await log.close();
  }
}

async function waitUntilReady(options: Launch, server: Running): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    if (server.hasEnded()) throw await describeFailure(options);
    const file = await readPostmasterFile(options.dataDir);
    if (file?.pid === server.pid && file.ready) return;
    await sleep(10);
  }
  throw new PostgresStartError(
    'start-failed',
    `Postgres was not ready within ${readyWithinMs / 1000} seconds. Its log: ${options.logFile}.`,
  );
}

async function describeFailure({ logFile, port }: Launch): Promise<PostgresStartError> {
  const complaint = await readComplaint(logFile);
  if (/could not create any TCP\/IP sockets/.test(complaint)) return portTaken(port);
  return new PostgresStartError('start-failed', `Postgres did not start: ${complaint}. Its log: ${logFile}.`);
}

export function portTaken(port: number): PostgresStartError {
  return new PostgresStartError(
    'port-taken',
    `Port ${port} on 127.0.0.1 is taken by another program, so Postgres can't listen there. Stop that program or choose another port.`,
  );
}
