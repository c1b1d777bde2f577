/**
 * What can be learnt about a process of which only the pid is known. Pids are reused, so a pid alone proves
 * nothing: a process is recognised by its start time as well, or by its working directory and its name.
 * Linux is asked through /proc (slim images have no `ps`), everything else through `ps`.
 */
import { execFile } from 'node:child_process';
import { readFile, readlink, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const onLinux = process.platform === 'linux';

/** Whether something runs under that pid; a zombie, which waits for its parent only, does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !onLinux || (await linuxStat(pid))?.state !== 'Z';
}

/** A text that differs between two processes that had the same pid one after the other; undefined: no such process. */
export async function startTimeOf(pid: number): Promise<string | undefined> {
  if (onLinux) return (await linuxStat(pid))?.startTime;
  return ps(pid, 'lstart=');
}

/** `none`: that server does not run. `unknown`: the process belongs to a user whose processes are closed to us. */
export type Identity = 'postmaster' | 'none' | 'unknown';

/** Whether `pid` is the postmaster of that data directory. */
export async function identifyPostmaster(pid: number, dataDir: string): Promise<Identity> {
  if (!(await isAlive(pid))) return 'none';
  if (!onLinux) {
    const command = await ps(pid, 'command=');
    return command?.includes('postgres') === true && command.includes(dataDir) ? 'postmaster' : 'none';
  }
  try {
    const directory = await readlink(`/proc/${pid}/cwd`);
    const name = (await readFile(`/proc/${pid}/comm`, 'utf8')).trim();
    return name === 'postgres' && directory === (await realpath(dataDir)) ? 'postmaster' : 'none';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'unknown';
  }
}

async function linuxStat(pid: number): Promise<{ state: string; startTime: string } | undefined> {
  let text: string;
  try {
    text = await readFile(`/proc/${pid}/stat`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
  // The second field is the program's name in brackets, which may itself hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: fields[19] ?? '' };
}

async function ps(pid: number, format: string): Promise<string | undefined> {
  try {
    const { stdout } = await run('ps', ['-ww', '-o', format, '-p', String(pid)]);
    return stdout.trim();
  } catch (error) {
    // `ps` ends with 1 when there is no such process.
    if ((error as { code?: unknown }).code === 1) return undefined;
    throw error;
  }
}
