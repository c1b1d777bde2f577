/**
 * Runs a Postgres program on a data directory that its account owns, but perhaps can't reach: as root, with the
 * project under /root, the account may not pass through the directories above. Linux lets a process enter a
 * directory that it was handed as an open file, through /proc/self/fd, whatever lies above it; the programs that
 * Postgres starts in turn inherit it. So nothing above needs other permissions and the data stay where they were asked for.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Account } from './account';
import { PostgresStartError } from './errors';

const run = promisify(execFile);
const handedOver = 3;

export interface Program {
  readonly file: string;
  readonly directory: string;
  readonly account: Account | undefined;
  /** What to pass, given the path under which the program sees the directory. */
  readonly args: (path: string) => string[];
  /** Where the program's own output goes; a file, because a pipe that nobody reads would stop the server. */
  readonly outputFd: number;
}

export interface Running {
  readonly pid: number;
  readonly hasEnded: () => boolean;
  /** Resolves to the exit code when the program has ended, however soon that was; null: a signal ended it. */
  readonly exited: Promise<number | null>;
}

/**
 * Runs the program. It leads a session of its own, so that Ctrl-C in a terminal reaches the program that started
 * it and not the server, which is to stop last. It gets none of our environment: PG* variables would change what it does.
 * @throws PostgresStartError when it can't be run.
 */
export async function spawnInDirectory(program: Program): Promise<Running> {
  const { account, outputFd } = program;
  const options = {
    ...account,
    cwd: '/',
    detached: true,
    env: { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' },
  };
  if (await canEnter(program.directory, account)) {
    const args = program.args(program.directory);
    return running(spawn(program.file, args, { ...options, stdio: ['ignore', outputFd, outputFd] }));
  }
  const directory = await open(program.directory);
  try {
    const args = program.args(`/proc/self/fd/${handedOver}`);
    const stdio = ['ignore' as const, outputFd, outputFd, directory.fd];
    return await running(spawn(program.file, args, { ...options, stdio }));
  } finally {
    await directory.close();
  }
}

/** Listens from the first moment: a program that refuses its settings has ended before anybody could ask. */
async function running(child: ChildProcess): Promise<Running> {
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const { pid } = child;
  if (pid === undefined) {
    const [error] = (await once(child, 'error')) as [Error];
    throw new PostgresStartError('start-failed', `Postgres could not be run: ${error.message}.`, {
      cause: error,
    });
  }
  return { pid, exited, hasEnded: () => child.exitCode !== null || child.signalCode !== null };
}

async function canEnter(directory: string, account: Account | undefined): Promise<boolean> {
  if (account === undefined) return true;
  try {
    await run('/bin/sh', ['-c', 'cd "$0"', directory], { ...account, cwd: '/' });
    return true;
  } catch (error) {
    if (process.platform === 'linux') return false;
    throw new PostgresStartError(
      'bad-directory',
      `User ${account.uid}, under which Postgres runs because this program runs as root, can't enter ${directory}. Run this program as an ordinary user, or choose a data directory that everybody may enter.`,
      { cause: error },
    );
  }
}
