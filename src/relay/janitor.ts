import type { Pool } from 'pg';
import { Counter, type Registry } from 'prom-client';
import { purge, type Purged } from '../outbox/log/purge';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { PollLoop } from '../shared/pollLoop';
import { sleep } from '../shared/sleep';
import type { LaneLeases } from './leases';

export interface JanitorOptions {
  readonly database: Pool;
  /** It cleans the lanes that this relay owns, so that relays share this work too. */
  readonly leases: LaneLeases;
  /** How long events are kept, in milliseconds. */
  readonly keepMs: number;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Time between two rounds, in milliseconds. */
  readonly intervalMs?: number;
}

/**
 * Deletes events that are older than the retention, published and not set aside, in small batches. It rests for as
 * long as each batch took, so that it never uses more than half of a connection. A round that fails is logged; the next
 * one makes up for it.
 */
export class Janitor implements Service {
  readonly name = 'outbox janitor';
  readonly #loop: PollLoop;
  readonly #deleted: Counter;

  constructor(private readonly options: JanitorOptions) {
    const { intervalMs = 60_000, logger, registry } = options;
    this.#deleted = new Counter({
      name: 'signalbox_outbox_deleted_total',
      help: 'Published events deleted because they were older than the retention',
      registers: [registry],
    });
    this.#loop = new PollLoop({
      name: this.name,
      intervalMs,
      backoff: { initialMs: Math.min(intervalMs, 1_000), maxMs: intervalMs },
      run: async (_cause, signal) => {
        await this.round(signal);
        return false;
      },
      onError: (error, attempt, pauseMs) =>
        logger.warn({ err: error, attempt, pauseMs }, 'old events could not be deleted; trying again'),
    });
  }

  start(): Promise<void> {
    return this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** One look at all lanes that are this relay's now; resolves to the number of rows deleted. */
  async round(signal: AbortSignal = new AbortController().signal): Promise<number> {
    const { leases, keepMs, logger } = this.options;
    let total = 0;
    for (const lane of leases.current()) {
      if (signal.aborted) break;
      total += await this.#clean(lane, signal);
    }
    if (total > 0) logger.info({ events: total, keepMs }, 'deleted published events beyond the retention');
    return total;
  }

  async #clean(lane: { lane: number; epoch: string }, signal: AbortSignal): Promise<number> {
    const { database, leases, keepMs } = this.options;
    let total = 0;
    for (let after: string | null = '0'; after !== null && !signal.aborted;) {
      const startedAt = performance.now();
      const { deleted, next }: Purged = await purge(database, leases.owner, lane, after, keepMs);
      total += deleted;
      this.#deleted.inc(deleted);
      after = next;
      if (next !== null) await sleep(performance.now() - startedAt, signal);
    }
    return total;
  }
}
