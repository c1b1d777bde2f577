import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { startTimeOf } from '../../postgres/processes';
import { BrokerStartError } from '../errors';

/**
 * Makes sure that only one broker writes to a data directory. The file `owner` in it names a process by pid and start
 * time; one that has ended, however it did, is no obstacle. Returns how to give the directory back.
 * @throws BrokerStartError while the owner lives, this process included.
 */
export async function lockDataDir(dataDir: string): Promise<() => void> {
  mkdirSync(dataDir, { recursive: true });
  const file = join(dataDir, 'owner');
  const release = (): void => rmSync(file, { force: true });
  const me = `${process.pid} ${await startTimeOf(process.pid)}`;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    if (create(file, me)) return release;
    const owner = read(file);
    const pid = Number(owner.split(' ')[0]);
    if (pid > 0 && `${pid} ${await startTimeOf(pid)}` === owner) {
      throw new BrokerStartError(
        `Process ${pid} already runs a dev broker in ${dataDir}. Stop it first, or choose another data directory.`,
      );
    }
    release();
  }
  throw new BrokerStartError(
    `Several programs try to start a dev broker in ${dataDir} at once. Start only one.`,
  );
}

function create(file: string, content: string): boolean {
  try {
    const descriptor = openSync(file, 'wx');
    writeSync(descriptor, content);
    closeSync(descriptor);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
