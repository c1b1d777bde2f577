/** Programs out of Debian's packages: unpacked into an ignored directory, neither installed nor started as services. */
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { findProjectRoot } from '../kafka/projectRoot';

const run = promisify(execFile);
const fetchWithinMs = 5 * 60_000;

/**
 * The path of a program of a package: the one that is installed, or one that is unpacked, which is fetched by apt-get
 * when it is not there.
 * @throws Error that says how to get it
 */
export async function findProgram(debianPackage: string, program: string): Promise<string> {
  const installed = (process.env['PATH'] ?? '').split(path.delimiter);
  const unpacked = path.join(findProjectRoot(__dirname), 'dev/monitoring/target', debianPackage);
  const directories = [...installed, path.join(unpacked, 'usr/bin')];
  const found = await firstThere(directories.map((directory) => path.join(directory, program)));
  if (found !== undefined) return found;
  await unpack(debianPackage, unpacked);
  return path.join(unpacked, 'usr/bin', program);
}

async function firstThere(files: readonly string[]): Promise<string | undefined> {
  for (const file of files) if (await isThere(file)) return file;
  return undefined;
}

async function isThere(file: string): Promise<boolean> {
  try {
    await access(file);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return false;
    throw error;
  }
}

async function unpack(debianPackage: string, target: string): Promise<void> {
  await mkdir(path.dirname(target), { recursive: true });
  const draft = await mkdtemp(`${target}.`);
  try {
    await download(debianPackage, draft);
    const [file = ''] = (await readdir(draft)).filter((name) => name.endsWith('.deb'));
    const root = path.join(draft, 'root');
    await run('dpkg-deb', ['--extract', path.join(draft, file), root]);
    await rename(root, target);
  } catch (error) {
    // Two programs may want it at the same time.
    if (await isThere(target)) return;
    const reason = (error as { message?: string }).message?.trim().split('\n').at(-1);
    throw new Error(
      `${debianPackage} could not be fetched (${reason}). Install it, or put its programs on the PATH.`,
      { cause: error },
    );
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** The lists of a fresh machine are empty: they are brought up to date when the package is not known. */
async function download(debianPackage: string, directory: string): Promise<void> {
  const options = { cwd: directory, env: process.env, timeout: fetchWithinMs };
  try {
    await run('apt-get', ['download', debianPackage], options);
  } catch {
    await run('apt-get', ['update'], options);
    await run('apt-get', ['download', debianPackage], options);
  }
}
