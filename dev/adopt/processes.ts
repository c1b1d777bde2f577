import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProcessOptions {
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
}

const timeoutMs = 300_000;

function spawnIn(command: string, args: readonly string[], { directory, env }: ProcessOptions): ChildProcess {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env;
  return spawn(command, args, {
    cwd: directory,
    env: { PATH, HOME, TMPDIR, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: npx starts the program as a child, and both are ended.
    detached: true,
  });
}

/** Runs a command to its end and resolves to its standard output. @throws Error with all of its output when it failed. */
export async function run(
  command: string,
  args: readonly string[],
  options: ProcessOptions,
): Promise<string> {
  const child = spawnIn(command, args, options);
  let stdout = '';
  let all = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    stdout += String(chunk);
    all += String(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => (all += String(chunk)));
  const timer = setTimeout(() => end(child, 'SIGKILL'), timeoutMs);
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${all}`);
  return stdout;
}

export interface Started {
  output(): string;
  ended(): boolean;
  stop(): Promise<void>;
}

/** Starts a command that runs until it is stopped. */
export function start(command: string, args: readonly string[], options: ProcessOptions): Started {
  const child = spawnIn(command, args, options);
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += String(chunk)));
  child.stderr?.on('data', (chunk: Buffer) => (output += String(chunk)));
  const closed = once(child, 'close');
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    output: () => output,
    ended,
    stop: async () => {
      if (!ended()) end(child, 'SIGTERM');
      await closed;
    },
  };
}

function end(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid !== undefined) process.kill(-child.pid, signal);
}
