import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, type Program, type ProgramOptions, startProgram } from './program';

/** How long an orderly end may take: what the programs promise, and room for a machine that has other work. */
const stopWithinMs = 30_000;

/**
 * A program that the storm may hit: running → (killed, stopped) → running, or running → paused → running. One
 * disturbance at a time has it. An end that nobody asked for is a finding: these programs outlive every outage.
 */
export class Unit {
  readonly findings: string[] = [];
  isBusy = false;
  #program: Program | undefined;
  #expectEnd = false;

  constructor(private readonly options: ProgramOptions) {}

  get name(): string {
    return this.options.name;
  }

  async start(): Promise<void> {
    this.#expectEnd = false;
    const program = await startProgram(this.options);
    this.#program = program;
    void program.exited.then(async ({ code, signal }) => {
      if (this.#expectEnd || this.#program !== program) return;
      const end = await lastLines(this.options, 2);
      this.findings.push(`${this.name} ended by itself (${signal ?? code}): ${end}`);
      await this.start();
    });
  }

  /** kill -9 */
  async kill(): Promise<void> {
    this.#expectEnd = true;
    this.#program?.signal('SIGKILL');
    await this.#program?.exited;
  }

  /** SIGTERM, and its orderly end. */
  async stop(): Promise<void> {
    this.#expectEnd = true;
    const late = new AbortController();
    const program = this.#program;
    if (!program) return;
    program.signal('SIGTERM');
    const ending = await Promise.race([
      program.exited,
      sleep(stopWithinMs, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    if (!ending) {
      this.findings.push(`${this.name} did not end within ${stopWithinMs / 1_000} s of SIGTERM`);
      await this.kill();
    } else if (ending.code !== 0 && ending.signal !== 'SIGTERM') {
      // (One that SIGTERM itself ends had not come as far as to listen for it.)
      const end = await lastLines(this.options, 2);
      this.findings.push(`${this.name} ended with ${ending.signal ?? ending.code} after SIGTERM: ${end}`);
    }
  }

  /** SIGSTOP: it notices nothing until it goes on. */
  pause(): void {
    this.#program?.signal('SIGSTOP');
  }

  resume(): void {
    this.#program?.signal('SIGCONT');
  }
}
