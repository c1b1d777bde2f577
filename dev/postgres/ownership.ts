/**
 * Which program a data directory belongs to. A file beside it names the owner's pid and start time, so that a
 * server whose owner was killed (to be stopped and started anew) can be told from one that is in use (to be left alone).
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PostgresStartError } from './errors';
import { startTimeOf } from './processes';

export interface Ownership {
  release(): Promise<void>;
}

/** Throws `already-running` while the owner of that directory lives, this process included. */
export async function takeOwnership(dataDir: string): Promise<Ownership> {
  const file = `${dataDir}.owner`;
  await mkdir(dirname(file), { recursive: true });
  // A second round after a dead owner's file was removed; a third would mean that others fight for it too.
  for (let round = 0; round < 3; round += 1) {
    if (await create(file)) return { release: () => rm(file, { force: true }) };
    await removeIfOwnerIsDead(file, dataDir);
  }
  throw new PostgresStartError(
    'already-running',
    `Several programs try to start Postgres in ${dataDir} at once. Start only one.`,
  );
}

/** A hard link appears with its content, so that nobody ever reads a half-written file and takes its owner for dead. */
async function create(file: string): Promise<boolean> {
  const draft = `${file}.${randomUUID()}`;
  try {
    await writeFile(draft, `${process.pid} ${await startTimeOf(process.pid)}\n`);
    await link(draft, file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

async function removeIfOwnerIsDead(file: string, dataDir: string): Promise<void> {
  const [pid, ...startTime] = (await readIfThere(file)).trim().split(' ');
  const owner = Number(pid);
  if (owner > 0 && (await startTimeOf(owner)) === startTime.join(' ')) {
    throw new PostgresStartError(
      'already-running',
      `Process ${owner} already runs Postgres in ${dataDir}. Stop it first, or choose another data directory.`,
    );
  }
  await rm(file, { force: true });
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
