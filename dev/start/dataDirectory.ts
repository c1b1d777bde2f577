/**
 * The directory of the embedded servers' data, and the one supervisor that may use it.
 *
 * Beside `postgres` and `kafka` lie `supervisor.owner` (who uses the directory now) and `processes.json` (what it has
 * started). Claiming the directory clears away what a killed supervisor left running, and nobody else's.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../src/shared/logger';
import { UserError } from '../../src/shared/lifecycle';
import { PostgresStartError } from '../postgres/errors';
import { type Ownership, takeOwnership } from '../postgres/ownership';
import { stopOrphan } from '../postgres/postmaster';
import { ProcessFile, stopLeftovers } from './leftovers';

/** Longer than the programs allow themselves for stopping. */
const patienceMs = 12_000;
/** Longer than a supervisor needs to stop everything. */
const stopPatienceMs = 60_000;

export interface DataDirectory {
  readonly postgres: string;
  readonly kafka: string;
  readonly processes: ProcessFile;
  /** Deletes the data of the embedded servers, and nothing else that may lie there. */
  empty(): Promise<void>;
  /** Lets a next start wait for the end of this one instead of refusing. */
  markStopping(): Promise<void>;
  release(): Promise<void>;
}

/** Another supervisor, which lives, uses the directory. */
export class DirectoryInUse extends UserError {
  override readonly name = 'DirectoryInUse';
}

/** @throws DirectoryInUse */
export async function claimDataDirectory(directory: string, logger: Logger): Promise<DataDirectory> {
  await mkdir(directory, { recursive: true });
  const ownership = await claim(directory);
  const [postgres, kafka] = [join(directory, 'postgres'), join(directory, 'kafka')];
  const processes = new ProcessFile(join(directory, 'processes.json'));
  const empty = async (): Promise<void> => {
    for (const path of [postgres, `${postgres}.log`, kafka]) await rm(path, { recursive: true, force: true });
  };
  const release = async (): Promise<void> => {
    processes.clear();
    await rm(stoppingMark(directory), { force: true });
    await ownership.release();
  };
  try {
    await clearAway(processes, postgres, logger);
  } catch (error) {
    await ownership.release();
    throw error;
  }
  const markStopping = (): Promise<void> => writeFile(stoppingMark(directory), '');
  return { postgres, kafka, processes, empty, markStopping, release };
}

async function claim(directory: string): Promise<Ownership> {
  const deadline = Date.now() + stopPatienceMs;
  for (;;) {
    const claimed = await tryToClaim(directory);
    if ('release' in claimed) {
      await rm(stoppingMark(directory), { force: true });
      return claimed;
    }
    if (!existsSync(stoppingMark(directory)) || Date.now() > deadline) throw claimed;
    await delay(50);
  }
}

async function tryToClaim(directory: string): Promise<Ownership | DirectoryInUse> {
  const name = join(directory, 'supervisor');
  try {
    return await takeOwnership(name);
  } catch (error) {
    if (!(error instanceof PostgresStartError) || error.problem !== 'already-running') throw error;
    const [pid] = (await readFile(`${name}.owner`, 'utf8').catch(() => 'unknown')).split(' ');
    return new DirectoryInUse(
      `Signalbox already runs with the data in ${directory} (process ${pid}): stop it, or set SIGNALBOX_DATA_DIR to another directory.`,
      { cause: error },
    );
  }
}

const stoppingMark = (directory: string): string => join(directory, 'supervisor.stopping');

async function clearAway(processes: ProcessFile, postgres: string, logger: Logger): Promise<void> {
  const stopped = await stopLeftovers(processes.read(), patienceMs);
  if (stopped.length > 0) logger.info(`stopped what an earlier run had left behind: ${stopped.join(', ')}`);
  processes.clear();
  // Only while nobody else (a test, say) owns that server: this throws if somebody does.
  const ownership = await takeOwnership(postgres);
  try {
    await stopOrphan(postgres, logger);
  } finally {
    await ownership.release();
  }
}
