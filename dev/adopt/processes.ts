import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { registerProcess } from '../kafka/watchman';

export type Environment = Readonly<Record<string, string>>;

export interface ProcessOptions {
  readonly directory: string;
  readonly env: Environment;
  /** The folder whose processes end with this one, see watchman.ts. */
  readonly watched: string;
}

const timeoutMs = 300_000;

interface Spawned {
  readonly child: ChildProcess;
  /** What it has printed so far: on standard output, and on both streams. */
  readonly printed: { stdout: string; all: string };
  /** Resolves when it has ended and all of its output is here. */
  readonly closed: Promise<number | null>;
}

async function spawnIn(
  command: string,
  args: readonly string[],
  { directory, env, watched }: ProcessOptions,
): Promise<Spawned> {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
  const child = spawn(command, args, {
    cwd: directory,
    env: { PATH, HOME, TMPDIR, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', all: '' };
  child.stdout.on('data', (chunk: Buffer) => {
    printed.stdout += String(chunk);
    printed.all += String(chunk);
  });
  child.stderr.on('data', (chunk: Buffer) => (printed.all += String(chunk)));
  const closed = once(child, 'close').then(([code]) => code as number | null);
  const { pid } = child;
  // Without a process it rejects with the reason.
  if (pid === undefined) throw new Error(`${command} could not be started: ${await closed}`);
  const forget = await registerProcess(watched, pid);
  void closed.then(forget);
  return { child, printed, closed };
}

/** Runs a command to its end and resolves to its standard output. @throws Error with all of its output when it failed. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<string> {
  const { child, printed, closed } = await spawnIn(command, args, options);
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const code = await closed;
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${printed.all}`);
  return printed.stdout;
}

export interface Started {
  output(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

/** Starts a command that runs until it is stopped. */
export async function start(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<Started> {
  const { child, printed, closed } = await spawnIn(command, args, options);
  return {
    output: () => printed.all,
    ended: () => child.exitCode !== null || child.signalCode !== null,
    stop: async () => {
      child.kill('SIGTERM');
      await closed;
    },
  };
}
