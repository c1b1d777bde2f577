/**
 * Makes the data directory. initdb works in a directory beside the wanted one, which is renamed when it is done: an
 * initdb that was interrupted leaves nothing that could be taken for a database, and the next start clears it away.
 * Nothing else is ever deleted here.
 */
import { mkdtemp, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { handOver, type Account } from './account';
import type { Binaries } from './binaries';
import { PostgresStartError } from './errors';
import { readComplaint } from './serverLog';
import { spawnInDirectory } from './spawnInDirectory';

export interface Initialisation {
  readonly dataDir: string;
  readonly account: Account | undefined;
  readonly binaries: Binaries;
  readonly user: string;
  readonly logFile: string;
  readonly logger: Logger;
  /** Whether the files must survive a power cut; tests need not wait for it. */
  readonly durable: boolean;
}

/** Leaves a data directory of the right version, made now if there was none. */
export async function initialise(options: Initialisation): Promise<void> {
  const { dataDir, binaries, account } = options;
  await removeLeftovers(dataDir);
  const version = await readVersion(dataDir);
  if (version === undefined) return create(options);
  if (version !== binaries.major) {
    throw new PostgresStartError(
      'wrong-version',
      `The data in ${dataDir} were written by Postgres ${version} and the embedded server is ${binaries.major}, which can't read them. If they may go, delete the directory ("npm start -- --fresh" does); else move them with pg_dump of a Postgres ${version}.`,
    );
  }
  await handOver(dataDir, account);
}

async function create(options: Initialisation): Promise<void> {
  const { dataDir, logger, account } = options;
  logger.info({ dataDir }, 'Creating the Postgres data directory (a second or two, only the first time)');
  const draft = await mkdtemp(draftPrefix(dataDir));
  try {
    await handOver(draft, account);
    await runInitdb(options, draft);
    await rename(draft, dataDir);
  } catch (error) {
    await rm(draft, { recursive: true, force: true, maxRetries: 5 });
    throw error;
  }
}

async function runInitdb(options: Initialisation, draft: string): Promise<void> {
  const { binaries, account, user, logFile } = options;
  const log = await open(logFile, 'w');
  try {
    // The builtin locale sorts alike on every platform, and no system locale has to be installed.
    const fixed = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = [`--username=${user}`, '--auth=trust', '--no-instructions'];
    const speed = options.durable ? [] : ['--no-sync'];
    const initdb = await spawnInDirectory({
      file: binaries.initdb,
      directory: draft,
      account,
      args: (path) => [`--pgdata=${path}`, ...fixed, ...access, ...speed],
      outputFd: log.fd,
    });
    if ((await initdb.exited) === 0) return;
  } finally {
    await log.close();
  }
  throw new PostgresStartError(
    'start-failed',
    `The Postgres data directory could not be created: ${await readComplaint(logFile)}. All of it is in ${logFile}.`,
  );
}

/** The major version that wrote the directory; undefined: there is none yet, or it is empty. */
async function readVersion(dataDir: string): Promise<string | undefined> {
  try {
    const entries = await readdir(dataDir);
    if (entries.length === 0) return undefined;
    if (entries.includes('PG_VERSION')) return (await readFile(join(dataDir, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  throw new PostgresStartError(
    'bad-directory',
    `${dataDir} is neither empty nor a Postgres data directory. Choose another directory, or empty this one.`,
  );
}

const draftPrefix = (dataDir: string): string => `${dataDir}.initdb-`;

/** Ownership is held, so whoever made these is dead. */
async function removeLeftovers(dataDir: string): Promise<void> {
  const prefix = basename(draftPrefix(dataDir));
  for (const name of await readdir(dirname(dataDir))) {
    if (!name.startsWith(prefix)) continue;
    await rm(join(dirname(dataDir), name), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
