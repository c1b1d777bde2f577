/**
 * Keeps one part running.
 *
 * States: idle → launching → running → (crashed → pausing → launching)* → stopped, or failed when the restart policy
 * gives up. The first launch is not repeated: a part that does not start the first time has a reason that a person
 * should read. `stop` is possible in every state and leaves nothing behind.
 */
import type { Logger } from '../../src/shared/logger';
import { UserError } from '../../src/shared/lifecycle';
import { sleep } from '../../src/shared/sleep';
import type { Part, Run } from './part';
import { afterCrash, defaultPolicy, type RestartPolicy } from './restartPolicy';

export class Keeper {
  readonly #stopping = new AbortController();
  readonly #crashes: number[] = [];
  #failed: (error: Error) => void = () => undefined;
  #run: Run | undefined;
  #work: Promise<unknown> = Promise.resolve();

  /** Never resolves; rejects when the part can't be kept running. */
  readonly failed = new Promise<never>((_resolve, reject) => {
    this.#failed = reject;
  });

  constructor(
    private readonly part: Part,
    private readonly logger: Logger,
    private readonly policy: RestartPolicy = defaultPolicy,
  ) {
    // Somebody always listens, so that a failure which comes while stopping is not an unhandled one.
    this.failed.catch(() => undefined);
  }

  get name(): string {
    return this.part.name;
  }

  /** Resolves when the part is ready; from then on it is restarted when it ends by itself. */
  async start(): Promise<void> {
    const first = this.#launch();
    this.#work = first.catch(() => undefined);
    const run = await first;
    this.#work = this.#keep(run).catch((error: unknown) => this.#failed(error as Error));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#run?.stop();
    await this.#work;
    // A launch that could not be interrupted may have come to its end meanwhile.
    await this.#run?.stop();
  }

  /** Ends it at once, without waiting. */
  kill(): void {
    this.#stopping.abort();
    this.#run?.kill();
  }

  async #launch(): Promise<Run> {
    const run = await this.part.launch(this.#stopping.signal);
    this.#run = run;
    return run;
  }

  async #keep(first: Run): Promise<void> {
    const { signal } = this.#stopping;
    let run: Run | undefined = first;
    while (!signal.aborted) {
      if (run !== undefined) {
        const how = await run.ended;
        if (signal.aborted) return;
        this.logger.error(`${this.name} ended by itself (${how})`);
        // Lets go of what it held (a lock, say).
        await run.stop();
      }
      await this.#pause();
      if (!signal.aborted) run = await this.#relaunch();
    }
  }

  /** The next run; undefined when that did not get ready either, which counts as a crash. */
  async #relaunch(): Promise<Run | undefined> {
    try {
      const run = await this.#launch();
      this.logger.info(`${this.name} is running again`);
      return run;
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.logger.error((error as Error).message);
      return undefined;
    }
  }

  async #pause(): Promise<void> {
    this.#crashes.push(Date.now());
    const next = afterCrash(this.#crashes, this.policy);
    if (next === 'give up') {
      throw new UserError(
        `${this.name} ended by itself ${this.#crashes.length} times; giving up. What it said last stands above.`,
      );
    }
    this.logger.warn(
      `restarting ${this.name} in ${(next.restartInMs / 1000).toFixed(1)} s (attempt ${next.attempt} of ${this.policy.limit})`,
    );
    await sleep(next.restartInMs, this.#stopping.signal);
  }
}
