/** Our compiled programs as processes of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { compiledProgram } from '../compiled';
import { registerProcess } from '../../dev/kafka/watchman';
import { sleep } from '../../src/shared/sleep';

export interface Program {
  kill(signal: NodeJS.Signals): Promise<void>;
}

const readyWithinMs = 60_000;

/**
 * Starts a program, as in compiled.ts, and waits until `isReady` says so. It is registered in the directory, so
 * that the watchman ends it if this process is killed.
 */
export async function startProgram(
  directory: string,
  program: string,
  { env, args = [] }: { env: Readonly<Record<string, string>>; args?: readonly string[] },
  isReady: () => Promise<boolean>,
): Promise<Program> {
  const child = spawn(process.execPath, [...compiledProgram(program), ...args], {
    cwd: directory,
    env: { PATH: process.env['PATH'] ?? '', LOG_LEVEL: 'error', ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'spawn');
  await registerProcess(directory, child.pid ?? 0);
  await waitUntil(isReady, child, program);
  return {
    kill: async (signal) => {
      if (hasEnded(child)) return;
      const exited = once(child, 'exit');
      child.kill(signal);
      await exited;
    },
  };
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;

async function waitUntil(
  isReady: () => Promise<boolean>,
  child: ChildProcess,
  program: string,
): Promise<void> {
  const started = performance.now();
  while (!(await isReady())) {
    if (hasEnded(child)) throw new Error(`${program} ended`);
    if (performance.now() - started > readyWithinMs) throw new Error(`${program} does not become ready`);
    await sleep(100);
  }
}

/** Whether /readyz answers 200. */
export async function answersReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200;
  } catch {
    return false;
  }
}
