/**
 * What is alive, written down for the next start. After kill -9 of the supervisor its children stop by themselves
 * (leash.ts), except one that hangs: the next start stops it. A process is ours only if pid *and* start time are those
 * that were written down, so a pid that was given to another program since is left alone; nothing is found by name.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { isAlive, startTimeOf } from '../postgres/processes';

const recorded = z.object({ name: z.string(), pid: z.number().int().positive(), startTime: z.string() });
export type Recorded = z.infer<typeof recorded>;

export class ProcessFile {
  readonly #alive = new Map<number, Recorded>();

  constructor(private readonly file: string) {}

  /** What an earlier start wrote down and never crossed out. A file that is damaged names nobody. */
  read(): Recorded[] {
    let text: string;
    try {
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const parsed = z.array(recorded).safeParse(parseJson(text));
    return parsed.success ? parsed.data : [];
  }

  async add(name: string, pid: number): Promise<void> {
    const startTime = await startTimeOf(pid);
    if (startTime === undefined) return;
    this.#alive.set(pid, { name, pid, startTime });
    this.#write();
  }

  remove(pid: number): void {
    if (this.#alive.delete(pid)) this.#write();
  }

  clear(): void {
    this.#alive.clear();
    rmSync(this.file, { force: true });
  }

  /** A rename, so that nobody ever reads half of it; synchronous, so that no two writes overtake each other. */
  #write(): void {
    const draft = `${this.file}.new`;
    writeFileSync(draft, JSON.stringify([...this.#alive.values()], undefined, 2));
    renameSync(draft, this.file);
  }
}

/** Stops those of the processes that still run: politely, and with force after `patienceMs`. Returns their names. */
export async function stopLeftovers(processes: readonly Recorded[], patienceMs: number): Promise<string[]> {
  const stopped = await Promise.all(processes.map(async (process) => stopLeftover(process, patienceMs)));
  return processes.filter((_process, index) => stopped[index]).map(({ name }) => name);
}

async function stopLeftover(leftover: Recorded, patienceMs: number): Promise<boolean> {
  if (!(await isStill(leftover))) return false;
  send(leftover.pid, 'SIGTERM');
  const deadline = Date.now() + patienceMs;
  while (await isStill(leftover)) {
    if (Date.now() > deadline) send(leftover.pid, 'SIGKILL');
    await delay(20);
  }
  return true;
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    // It ended in this very moment.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function isStill({ pid, startTime }: Recorded): Promise<boolean> {
  return (await isAlive(pid)) && (await startTimeOf(pid)) === startTime;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
