/** Processes that share the parts of a run among them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Part } from '../../test/integration/differential/explore';
import { addTally, newTally, type Tally } from '../../test/integration/differential/tally';
import type { Message } from './worker';

/**
 * Most of what a sequence needs is gone after it: a larger nursery spares copying it. What pg deprecates Prisma does, in
 * each process anew.
 */
const execArgv = ['--max-semi-space-size=64', '--disable-warning=DeprecationWarning'];

export interface Work {
  readonly parts: readonly Part[];
  readonly workers: number;
  readonly interrupted: AbortSignal;
  /** After each sequence. */
  readonly ran: () => void;
  /** A sequence has diverged; simpler ones are looked for. */
  readonly diverged: () => void;
}

export interface Result {
  readonly tally: Tally;
  /** Where the databases differ, and how to see it again. */
  readonly difference: string | undefined;
}

export async function runParts(work: Work): Promise<Result> {
  const crew = new Crew(work);
  const stop = (): void => crew.letGo();
  work.interrupted.addEventListener('abort', stop);
  try {
    return await crew.run();
  } finally {
    work.interrupted.removeEventListener('abort', stop);
  }
}

class Crew {
  readonly #left: Part[];
  readonly #tally = newTally();
  readonly #members = new Set<ChildProcess>();
  #stopping = false;
  #difference: string | undefined;

  constructor(private readonly work: Work) {
    this.#left = [...work.parts];
  }

  async run(): Promise<Result> {
    const count = Math.min(this.work.workers, this.#left.length);
    await Promise.all(Array.from({ length: count }, async () => this.#employ()));
    return { tally: this.#tally, difference: this.#difference };
  }

  /** Ends all but one, whatever they do. */
  letGo(except?: ChildProcess): void {
    this.#stopping = true;
    for (const member of this.#members) if (member !== except && member.connected) member.disconnect();
  }

  async #employ(): Promise<void> {
    const member = fork(join(__dirname, 'worker.js'), { execArgv });
    this.#members.add(member);
    member.on('message', (message: Message) => this.#hear(member, message));
    this.#instruct(member);
    const [code] = (await once(member, 'exit')) as [number | null];
    this.#members.delete(member);
    if (code === 0) return;
    this.letGo();
    throw new Error(`A process of the run ended with ${code ?? 'a signal'}`);
  }

  #hear(member: ChildProcess, message: Message): void {
    if (message.kind === 'ran') {
      addTally(this.#tally, message.tally);
      this.work.ran();
    } else if (message.kind === 'diverged') {
      // What is simplified is to have the machine to itself; a second difference can wait.
      this.letGo(member);
      this.work.diverged();
    } else {
      this.#difference ??= message.difference;
      this.#instruct(member);
    }
  }

  #instruct(member: ChildProcess): void {
    const part = this.#stopping ? undefined : this.#left.shift();
    if (part) member.send(part);
    else if (member.connected) member.disconnect();
  }
}
