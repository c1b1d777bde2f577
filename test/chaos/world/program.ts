/** A process of the storm. Its output goes to a file, which a run of any length can afford. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { registerProcess } from '../../../dev/kafka/watchman';
import { findProjectRoot } from '../../../dev/kafka/projectRoot';

export interface ProgramOptions {
  /** Names it in reports and its log file, which later starts go on with. */
  readonly name: string;
  /** Compiled file below dist/, without extension. */
  readonly program: string;
  readonly args?: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** For logs; whatever runs is registered here, to be ended with the run. */
  readonly directory: string;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Program {
  readonly exited: Promise<Ending>;
  signal(signal: NodeJS.Signals): void;
}

export const logFile = ({ directory, name }: Pick<ProgramOptions, 'directory' | 'name'>): string =>
  join(directory, `${name}.log`);

/** Starts it and does not wait until it is ready. */
export async function startProgram(options: ProgramOptions): Promise<Program> {
  const { program, args = [], env, directory } = options;
  const root = findProjectRoot(__dirname);
  const log = await open(logFile(options), 'a');
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', join(root, 'dist', `${program}.js`), ...args],
    {
      // Not the project's root: a developer's .env is no part of this.
      cwd: directory,
      stdio: ['ignore', log.fd, log.fd],
      env: { PATH: process.env['PATH'], ...env },
    },
  );
  const exited = ending(child);
  await once(child, 'spawn');
  await log.close();
  const forget = await registerProcess(directory, child.pid ?? 0);
  void exited.then(forget);
  return { exited, signal: (signal) => void child.kill(signal) };
}

function ending(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

/** The end of what it printed. */
export async function lastLines(
  options: Pick<ProgramOptions, 'directory' | 'name'>,
  count: number,
): Promise<string> {
  const text = await readFile(logFile(options), 'utf8');
  return text.trimEnd().split('\n').slice(-count).join('\n');
}
