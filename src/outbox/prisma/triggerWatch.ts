import { Gauge, type Registry } from 'prom-client';
import type { Service } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import type { ReadinessCheck } from '../../shared/opsServer';
import { PollLoop } from '../../shared/pollLoop';
import type { CaptureEngineName } from './engineName';
import { describeProblems, type TriggerProblem } from './installed/check';

/*
 * Triggers may vanish while a program runs: switched off for a bulk load, left behind by a table that was swapped or
 * restored, silenced by session_replication_role. Nothing fails then, and writes have no events. So programs that write
 * look at their triggers again and again.
 *
 * With the trigger engine a program that has lost its triggers is not ready: its own writes would lose their events.
 * With the middleware engine it captures its own writes all the same, so it stays ready and warns: what others write
 * (psql, other programs, cascades) has no events.
 */

export interface TriggerWatchOptions {
  readonly engine: CaptureEngineName;
  /** Looks once; rejects when the database cannot be asked. */
  readonly inspect: () => Promise<readonly TriggerProblem[]>;
  readonly registry: Registry;
  readonly logger: Logger;
  /** Time from one look to the next, in milliseconds. */
  readonly intervalMs?: number;
}

const defaultIntervalMs = 30_000;

const consequences: Record<CaptureEngineName, string> = {
  trigger: 'the capture triggers are not as the catalogue wants them: writes leave no events',
  middleware:
    'the capture triggers are not as the catalogue wants them: what is written past this service leaves no events',
};

/** Looks at the capture triggers at start and every half minute, and says each change in log, metrics and readiness. */
export class TriggerWatch implements Service {
  readonly name = 'trigger watch';
  readonly readiness: ReadinessCheck = { name: 'triggers', check: async () => this.#state() };
  readonly #loop: PollLoop;
  readonly #gauge: Gauge;
  /** What the last look found, as one text; empty when nothing is wrong. */
  #found = '';

  constructor(private readonly options: TriggerWatchOptions) {
    const { engine, registry, intervalMs = defaultIntervalMs } = options;
    this.#gauge = new Gauge({
      name: 'signalbox_capture_triggers_ok',
      help: '1 when the last look found the capture triggers as the catalogue wants them, else 0.',
      labelNames: ['engine'],
      registers: [registry],
    });
    // The trigger engine has looked before this program went on.
    this.#gauge.set({ engine }, engine === 'trigger' ? 1 : 0);
    this.#loop = new PollLoop({
      name: this.name,
      intervalMs,
      backoff: { initialMs: Math.min(1_000, intervalMs), maxMs: intervalMs },
      run: async () => {
        this.#record(await options.inspect());
        return false;
      },
      // What was found stands until the database answers again; that it does not is said by the database's own check.
      onError: (error) => options.logger.debug({ err: error }, 'the capture triggers could not be looked at'),
    });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #record(problems: readonly TriggerProblem[]): void {
    const { engine, logger } = this.options;
    const found = problems.length === 0 ? '' : describeProblems(problems);
    this.#gauge.set({ engine }, found === '' ? 1 : 0);
    if (found === this.#found) return;
    this.#found = found;
    if (found === '') logger.info('the capture triggers are as the catalogue wants them again');
    else logger[engine === 'trigger' ? 'error' : 'warn']({ found }, consequences[engine]);
  }

  #state(): { ok: boolean; detail?: string } {
    if (this.#found === '') return { ok: true };
    return { ok: this.options.engine === 'middleware', detail: this.#found };
  }
}
