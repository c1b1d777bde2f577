/** The compiled programs under dist/, brought up to date once per test run, by the first test that wants one. */
import { execFile } from 'node:child_process';
import { open, readFile, rename, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { fromSetup, variables } from './environment';
import { waitFor } from './waitFor';

const run = promisify(execFile);

export const projectRoot = resolve(__dirname, '../..');

/** The directory with the compiled files. */
export async function compile(): Promise<string> {
  const marker = join(fromSetup(variables.directory), 'compiled');
  if (await isFirst(`${marker}.lock`)) {
    const complaint = await runCompiler();
    await writeFile(`${marker}.draft`, complaint);
    await rename(`${marker}.draft`, marker);
  }
  const complaint = await waitFor(() => readIfThere(marker), { what: 'the compiler', deadlineMs: 180_000 });
  if (complaint.text !== '') throw new Error(`The programs could not be compiled:\n${complaint.text}`);
  return join(projectRoot, 'dist');
}

/** One of jest's workers compiles, the others wait for it. */
async function isFirst(lock: string): Promise<boolean> {
  try {
    await (await open(lock, 'wx')).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Why there are no compiled files; nothing if there are. Wrong types alone don't keep the compiler from writing them
 * (it ends with 2 then): they are the business of `npm run typecheck`, as for all other tests.
 */
async function runCompiler(): Promise<string> {
  const compiler = join(projectRoot, 'node_modules', '.bin', 'tsc');
  try {
    await run(compiler, ['--project', join(projectRoot, 'tsconfig.build.json')]);
    return '';
  } catch (error) {
    const { code, stdout, message } = error as { code?: unknown; stdout?: string; message: string };
    return code === 2 ? '' : stdout?.trim() || message;
  }
}

async function readIfThere(file: string): Promise<{ text: string } | undefined> {
  try {
    return { text: await readFile(file, 'utf8') };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
