/**
 * Nothing that a test run started may outlive it, even if the run is killed with -9 or by Ctrl-C in the middle. A shell
 * in a session of its own waits for its standard input to end, which the kernel sees to when the run is gone, however
 * that came about. Then it ends the processes that are registered in the run's directory and removes the directory.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Postgres ends at once on SIGQUIT and takes its children along; what is left a moment later is killed. */
const watch = `
read -r word
[ "$word" = done ] && exit
for file in "$0"/pids/*; do
  [ -e "$file" ] && kill -QUIT "\${file##*/}" && kill -CONT "\${file##*/}"
done
sleep 1
for file in "$0"/pids/*; do
  [ -e "$file" ] && kill -KILL "\${file##*/}"
done
rm -rf "$0"
`;

/** Watches over `directory` until the returned function is called, or this process is gone. */
export async function postWatchman(directory: string): Promise<() => Promise<void>> {
  await mkdir(join(directory, 'pids'), { recursive: true });
  const watchman = spawn('/bin/sh', ['-c', watch, directory], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const gone = once(watchman, 'exit');
  return async () => {
    watchman.stdin.end('done\n');
    await gone;
  };
}

/** Has the process ended with the run. Returns what is to be called when it has ended before that. */
export async function registerProcess(directory: string, pid: number): Promise<() => Promise<void>> {
  const file = join(directory, 'pids', String(pid));
  await writeFile(file, '');
  return () => rm(file, { force: true });
}

/** Kills every process that is still registered. */
export async function killRegistered(directory: string): Promise<void> {
  for (const pid of await readdir(join(directory, 'pids'))) {
    try {
      process.kill(Number(pid), 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
