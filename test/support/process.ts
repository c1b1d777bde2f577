/**
 * Programs as children of a test: started as users start them, watched through what they print, ended as badly as the
 * test likes. Whatever still runs when the test file is done is killed; a killed test run takes them along too.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { registerProcess } from '../../dev/kafka/watchman';
import { compile, projectRoot } from './compile';
import { variables } from './environment';
import { waitFor } from './waitFor';

export interface ProcessOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to what a program needs at least; nothing else of the tests' environment is passed on. */
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface RunningProgram {
  readonly pid: number;
  /** Both output streams together, as far as they have come. */
  output(): string;
  lines(): string[];
  /** The first line, from the very beginning, that matches. Fails when the program ends without printing it. */
  waitForLine(pattern: RegExp | string, deadlineMs?: number): Promise<string>;
  /** Sends a signal (SIGSTOP and SIGCONT too) and does not wait. */
  signal(signal: NodeJS.Signals): void;
  /** Sends a signal, SIGKILL by default, and waits for the end. May be called again. */
  kill(signal?: NodeJS.Signals): Promise<Ending>;
  /** Resolves when the program has ended and all of its output is here. */
  readonly exited: Promise<Ending>;
}

const running = new Set<ChildProcess>();

// Jest's globals are there only when a test file imports this, which is also when there is something to clean up.
if (typeof afterAll === 'function') afterAll(killPrograms);
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Kills every program of this test file that still runs; for `afterEach`. It is called after the file's last test anyway. */
export async function killPrograms(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }),
  );
}

/**
 * Starts one of the project's programs from its compiled form, which is brought up to date first.
 * `program` is its source file without extension, e.g. `src/api/main`.
 */
export async function spawnProgram(
  program: string,
  options: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<RunningProgram> {
  const file = join(await compile(), `${program}.js`);
  return spawnProcess({
    command: process.execPath,
    args: ['--enable-source-maps', file, ...(options.args ?? [])],
    env: options.env ?? {},
    cwd: projectRoot,
  });
}

/** Starts a command of `signalbox`, e.g. `relay`, in this project: with HealthCore's configuration. */
export async function spawnSignalbox(
  command: string,
  { args = [], ...options }: { args?: readonly string[]; env?: Readonly<Record<string, string>> } = {},
): Promise<RunningProgram> {
  return spawnProgram('src/cli/main', { ...options, args: await signalboxArguments(command, args) });
}

/** The arguments of `src/cli/main.js` for a command of HealthCore's. */
export async function signalboxArguments(command: string, args: readonly string[] = []): Promise<string[]> {
  return ['--config', join(await compile(), 'signalbox.config.js'), command, ...args];
}

/** Starts any command. */
export async function spawnProcess({
  command,
  args = [],
  env = {},
  cwd,
}: ProcessOptions): Promise<RunningProgram> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: process.env['TMPDIR'], ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => (output += text));
  const exited = watchEnd(child);
  const { pid } = child;
  if (pid === undefined) await once(child, 'spawn'); // It throws what went wrong.
  await register(child);
  return describe(child, pid ?? 0, () => output, exited);
}

function describe(
  child: ChildProcess,
  pid: number,
  output: () => string,
  exited: Promise<Ending>,
): RunningProgram {
  const lines = (): string[] => output().split('\n');
  const find = (pattern: RegExp | string): string | undefined =>
    lines().find((line) => (typeof pattern === 'string' ? line.includes(pattern) : pattern.test(line)));
  let ended = false;
  void exited.then(() => (ended = true));
  return {
    pid,
    output,
    lines,
    exited,
    waitForLine: (pattern, deadlineMs = 60_000) =>
      waitFor(
        () => {
          const hadEnded = ended;
          const line = find(pattern);
          if (line === undefined && hadEnded) {
            throw new Error(
              `The program ended without printing ${String(pattern)}. It printed:\n${output()}`,
            );
          }
          return line;
        },
        { deadlineMs, what: () => `the line ${String(pattern)} among:\n${output()}` },
      ),
    signal: (signal) => void child.kill(signal),
    kill: async (signal = 'SIGKILL') => {
      child.kill(signal);
      return exited;
    },
  };
}

/** A grandchild that outlives the program may hold its output open for ever: that is waited for only a moment. */
function watchEnd(child: ChildProcess): Promise<Ending> {
  running.add(child);
  child.once('error', () => running.delete(child));
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      running.delete(child);
      const closeOutput = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, 1_000);
      child.once('close', () => {
        clearTimeout(closeOutput);
        resolve({ code, signal });
      });
    });
  });
}

/** Unit tests have no directory of a run; theirs end with jest at the latest. */
async function register(child: ChildProcess): Promise<void> {
  const directory = process.env[variables.directory];
  if (directory === undefined || child.pid === undefined) return;
  const forget = await registerProcess(directory, child.pid);
  child.once('exit', () => void forget());
}
