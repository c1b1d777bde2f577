import type { Pool } from 'pg';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { sleep } from '../shared/sleep';

const batchSize = 5_000;

/**
 * Deletes inbox rows that are older than `keepMs`, at most `batchSize` at a time, and returns how many. Those of
 * postponed events stay.
 * `keepMs` must be longer than Kafka keeps messages, or a consumer that is reset to the beginning repeats effects.
 */
export async function trimInbox(pool: Pool, keepMs: number): Promise<number> {
  const { rowCount } = await pool.query(
    `DELETE FROM "signalbox"."inbox" WHERE ctid = ANY (ARRAY(
       SELECT i.ctid FROM "signalbox"."inbox" i
       WHERE i."processed_at" < now() - $1 * interval '1 millisecond'
         AND NOT EXISTS (SELECT FROM "signalbox"."postponed_event" p
           WHERE p."consumer" = i."consumer" AND p."event_id" = i."event_id") LIMIT $2))`,
    [keepMs, batchSize],
  );
  return rowCount ?? 0;
}

export interface InboxJanitorOptions {
  readonly pool: Pool;
  /**
   * How long rows are kept, in milliseconds, asked before each round: longer than any topic keeps its messages. Infinity
   * keeps them all. A round for which it rejects deletes nothing.
   */
  readonly keepMs: () => Promise<number>;
  readonly logger: Logger;
  /** Time between two rounds, in milliseconds. */
  readonly intervalMs?: number;
}

/** Trims the inbox from time to time. A round that fails is logged; the next one makes up for it. */
export class InboxJanitor implements Service {
  readonly name = 'inbox janitor';
  #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly options: InboxJanitorOptions) {}

  async start(): Promise<void> {
    if (this.#running) return;
    this.#stopping = new AbortController();
    this.#running = this.#loop(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = undefined;
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const { pool, keepMs: askKeepMs, logger, intervalMs = 3_600_000 } = this.options;
    while (!signal.aborted) {
      try {
        const keepMs = await askKeepMs().catch((error: unknown) => {
          // The consumers read the same topics and report why they cannot be asked.
          logger.debug({ err: error }, 'what topics keep is not known, so the inbox keeps everything');
          return Infinity;
        });
        let deleted = Number.isFinite(keepMs) ? batchSize : 0;
        while (deleted === batchSize && !signal.aborted) deleted = await trimInbox(pool, keepMs);
      } catch (error) {
        logger.warn({ err: error }, 'the inbox could not be trimmed; trying again later');
      }
      await sleep(intervalMs, signal);
    }
  }
}
