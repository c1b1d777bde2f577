/**
 * The running server, through its postmaster.pid. The server writes the file, with its port and state, and removes it
 * when it ends; its last line says when it is ready. After kill -9 of whoever started it a server lives on, and after
 * kill -9 of the server its file stays.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { PostgresStartError } from './errors';
import { identifyPostmaster, isAlive } from './processes';

export interface PostmasterFile {
  readonly pid: number;
  readonly ready: boolean;
}

export async function readPostmasterFile(dataDir: string): Promise<PostmasterFile | undefined> {
  try {
    const lines = (await readFile(pidFile(dataDir), 'utf8')).split('\n');
    // Line 1 is the pid and line 8 the state: see CreateLockFile and AddToDataDirLockFile in Postgres' miscinit.c.
    return { pid: Number(lines[0]), ready: lines[7]?.trim() === 'ready' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Stops the server that a killed program left behind in that directory, and clears away a file that names another program. */
export async function stopOrphan(dataDir: string, logger: Logger): Promise<void> {
  const file = await readPostmasterFile(dataDir);
  if (file === undefined || !(file.pid > 0)) return;
  const identity = await identifyPostmaster(file.pid, dataDir);
  if (identity === 'postmaster') {
    logger.info({ pid: file.pid }, 'Stopping the Postgres that an earlier run left behind');
    await stopPostmaster(file.pid);
  }
  // A server that is stopped removes the file, one that was killed just before we looked leaves it. Postgres would refuse
  // to start if the pid is another program's by now, or a zombie that nobody has buried yet. Children of a killed server
  // are still noticed: they hold the shared memory whose key is the directory's inode.
  if (identity !== 'unknown') await rm(pidFile(dataDir), { force: true });
}

/** Fast shutdown (no new connections, running transactions rolled back); if that takes too long, one as after a crash. */
export async function stopPostmaster(pid: number): Promise<void> {
  const escalation = [
    { signal: 'SIGINT', patienceMs: 20_000 },
    { signal: 'SIGQUIT', patienceMs: 10_000 },
    { signal: 'SIGKILL', patienceMs: 10_000 },
  ] as const;
  for (const { signal, patienceMs } of escalation) {
    if (!(await isAlive(pid))) return;
    sendSignal(pid, signal);
    const deadline = Date.now() + patienceMs;
    while ((await isAlive(pid)) && Date.now() < deadline) await sleep(10);
  }
  if (await isAlive(pid)) {
    throw new PostgresStartError(
      'start-failed',
      `Postgres (process ${pid}) does not stop, not even when killed.`,
    );
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

const pidFile = (dataDir: string): string => join(dataDir, 'postmaster.pid');
