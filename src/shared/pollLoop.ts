import { backoffMs, type BackoffOptions } from './backoff';
import { type Service, UserError } from './lifecycle';
import { sleep } from './sleep';

/** What made the loop run: it was woken, its interval was over, there was more to do, or it tries again. */
export type Cause = 'woken' | 'poll' | 'more' | 'retry';

export interface PollLoopOptions {
  readonly name: string;
  /** Longest pause between two runs, in milliseconds. */
  readonly intervalMs: number;
  /** Pauses after runs that failed. Only success starts counting anew. */
  readonly backoff: BackoffOptions;
  /** One run. Resolves to whether there is more to do at once. */
  readonly run: (cause: Cause, signal: AbortSignal) => Promise<boolean>;
  /** Told of every failed run but a last one; `attempt` counts from 1. */
  readonly onError: (error: unknown, attempt: number, pauseMs: number) => void;
}

/**
 * Runs something again and again: at once when there is more, when woken, and at the latest after the interval.
 *
 * States: stopped → running → stopped. A failed run is repeated after a capped back-off, which a wake-up does not cut
 * short; a UserError, which waiting cannot mend, ends the loop and rejects `failed`. A wake-up during a run is
 * remembered, so that none is lost. `stop` waits for the run in hand, whose signal is aborted.
 */
export class PollLoop implements Service {
  /** Rejects with the error that ended the loop. */
  readonly failed: Promise<never>;
  #fail: (error: unknown) => void = () => undefined;
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #woken = false;
  #interrupt: (() => void) | undefined;

  constructor(private readonly options: PollLoopOptions) {
    this.failed = new Promise((_resolve, reject) => {
      this.#fail = reject;
    });
    // Nobody may be listening when there is nobody to tell.
    this.failed.catch(() => undefined);
  }

  get name(): string {
    return this.options.name;
  }

  async start(): Promise<void> {
    if (this.#running) return;
    this.#stopping = new AbortController();
    this.#running = this.#keepRunning(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#interrupt?.();
    await this.#running;
    this.#running = undefined;
  }

  /** Ends the pause, if there is one, or the next one before it begins. */
  wake(): void {
    this.#woken = true;
    this.#interrupt?.();
  }

  async #keepRunning(signal: AbortSignal): Promise<void> {
    let cause: Cause = 'poll';
    let attempt = 0;
    while (!signal.aborted) {
      this.#woken = false;
      try {
        const more = await this.options.run(cause, signal);
        attempt = 0;
        cause = more ? 'more' : await this.#pause(signal);
      } catch (error) {
        if (error instanceof UserError) {
          this.#fail(error);
          return;
        }
        attempt += 1;
        cause = 'retry';
        const pauseMs = backoffMs(attempt, this.options.backoff);
        this.options.onError(error, attempt, pauseMs);
        await sleep(pauseMs, signal);
      }
    }
  }

  #pause(signal: AbortSignal): Promise<Cause> {
    if (this.#woken || signal.aborted) return Promise.resolve('woken');
    return new Promise((resolve) => {
      const timer = setTimeout(() => finish('poll'), this.options.intervalMs);
      const finish = (cause: Cause): void => {
        clearTimeout(timer);
        this.#interrupt = undefined;
        resolve(cause);
      };
      this.#interrupt = () => finish('woken');
    });
  }
}
