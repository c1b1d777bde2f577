/** Our compiled programs as processes of their own, so that their time and memory are theirs alone. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { registerProcess } from '../../dev/kafka/watchman';
import { compiledProgram } from '../compiled';
import { relayNodeFlags } from '../../src/relay/nodeFlags';

const keptLines = 30;

export interface Program {
  readonly pid: number;
  /** Resolves with the first line that matches, from the very beginning; rejects when the program ends before. */
  line(pattern: RegExp): Promise<string>;
  /** Its last lines, for an error. */
  output(): string;
  /** SIGTERM, and its orderly end; rejects when it was none. */
  stop(): Promise<void>;
}

/** `program` is as in compiled.ts; it is ended if this process is killed. */
export async function startProgram(
  directory: string,
  program: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[] = [],
): Promise<Program> {
  const child = spawn(process.execPath, [...nodeFlags(program), ...compiledProgram(program), ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'info', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = collect(child);
  await once(child, 'spawn');
  const pid = child.pid ?? 0;
  const forget = await registerProcess(directory, pid);
  let ending = '';
  const ended = once(child, 'close').then(async ([code, signal]: (number | string | null)[]) => {
    ending = signal ? `killed by ${signal}` : `exit code ${code}`;
    await forget();
  });
  const output = (): string => printed.lines.slice(-keptLines).join('\n');
  return {
    pid,
    output,
    line: (pattern) =>
      Promise.race([
        printed.first(pattern),
        ended.then(() => Promise.reject(new Error(`${program} ended (${ending}):\n${output()}`))),
      ]),
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      if (ending !== 'exit code 0') throw new Error(`${program} ended badly (${ending}):\n${output()}`);
    },
  };
}

/** For profiling: BENCH_NODE_FLAGS="--cpu-prof --cpu-prof-dir=/tmp/profile" makes each relay leave a profile. */
function nodeFlags(program: string): string[] {
  const given = process.env['BENCH_NODE_FLAGS'];
  const own = program === 'relay' ? relayNodeFlags : [];
  return given && !program.startsWith('dev/') ? [...own, ...given.split(' ')] : [...own];
}

function collect(child: ChildProcess): { lines: string[]; first(pattern: RegExp): Promise<string> } {
  const lines: string[] = [];
  const waiting = new Set<(line: string) => void>();
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      for (const hear of waiting) hear(line);
    });
  }
  return {
    lines,
    first: (pattern) =>
      new Promise((resolve) => {
        const known = lines.find((line) => pattern.test(line));
        if (known !== undefined) return resolve(known);
        const hear = (line: string): void => {
          if (!pattern.test(line)) return;
          waiting.delete(hear);
          resolve(line);
        };
        waiting.add(hear);
      }),
  };
}
