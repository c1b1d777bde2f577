/**
 * A part that is one of our compiled programs, as a child process.
 *
 * It leads a process group of its own: Ctrl-C in a terminal reaches the supervisor alone, which then stops the parts
 * in order. The IPC channel exists for its end only (see leash.ts).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { type Part, PartError, type Run } from './part';
import { isReady, type Printed, type Readiness } from './readiness';

export interface NodeProgram {
  readonly name: string;
  /** Flags of node itself, e.g. for its memory. */
  readonly flags: readonly string[];
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly readiness: Readiness;
  readonly readyWithinMs: number;
  /** How long it may take to stop, in milliseconds; longer than what the programs allow themselves. */
  readonly stopWithinMs: number;
  readonly onLine: (line: string) => void;
  /** Makes a line readable that is quoted in an error. */
  readonly readable: (line: string) => string;
  /** Called when a process exists and when it is gone: what is alive must be known to the next start. */
  readonly onSpawn: (pid: number) => Promise<void>;
  readonly onExit: (pid: number) => void;
}

const shownLines = 20;

export function nodeProgram(options: NodeProgram): Part {
  return { name: options.name, launch: (signal) => launch(options, signal) };
}

async function launch(options: NodeProgram, signal: AbortSignal): Promise<Run> {
  const child = spawnProgram(options);
  const printed = collect(child, options);
  const run = runOf(child, options.stopWithinMs);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  await options.onSpawn(pid);
  let ended: string | undefined;
  void run.ended.then((how) => {
    ended = how;
    options.onExit(pid);
  });
  const deadline = Date.now() + options.readyWithinMs;
  while (!(await isReady(options.readiness, printed))) {
    const late = Date.now() > deadline;
    if (ended === undefined && !late && !signal.aborted) {
      await delay(50);
      continue;
    }
    await run.stop();
    if (signal.aborted) throw new PartError(`${options.name} was stopped before it was ready.`);
    const why = late
      ? `was not ready within ${options.readyWithinMs / 1000} s`
      : `ended before it was ready (${ended})`;
    throw new PartError(`${options.name} ${why}. ${quote(printed.lines.map(options.readable))}`);
  }
  return run;
}

function spawnProgram({ flags, program, args, cwd, environment }: NodeProgram): ChildProcess {
  return spawn(process.execPath, [...flags, program, ...args], {
    cwd,
    env: environment,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
}

/** Must be called in the same tick as spawn: what nobody reads is thrown away when the process ends. */
function collect(child: ChildProcess, { onLine, readiness }: NodeProgram): Printed {
  const printed: Printed = { lines: [], matched: false };
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      if (printed.lines.push(line) > shownLines) printed.lines.shift();
      if ('line' in readiness && readiness.line.test(line)) printed.matched = true;
      onLine(line);
    });
  }
  return printed;
}

function runOf(child: ChildProcess, stopWithinMs: number): Run {
  // "close" comes after the last line was read; "exit" may come before.
  const ended = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ? `killed by ${signal}` : `exit code ${code}`));
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
    await ended;
    clearTimeout(timer);
  };
  return { ended, stop, kill: () => void child.kill('SIGKILL') };
}

function quote(lines: readonly string[]): string {
  if (lines.length === 0) return 'It said nothing.';
  return `Its last lines:\n${lines.join('\n').replaceAll(/^/gm, '  ')}`;
}
