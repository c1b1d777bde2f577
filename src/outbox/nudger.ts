import type { Client } from 'pg';
import { backoffMs } from '../shared/backoff';
import { createConnection } from '../shared/database';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { sleep } from '../shared/sleep';

/** The channel on which relays listen for new events. */
export const wakeUpChannel = 'signalbox_outbox';

export interface NudgerOptions {
  readonly databaseUrl: string;
  /** Least time between two notifications, in milliseconds; 0 sends none. */
  readonly intervalMs: number;
  readonly logger: Logger;
}

const reconnect = { initialMs: 100, maxMs: 10_000 };
const connectTimeoutMs = 5_000;

/**
 * Tells relays that there are new events: call `nudge` after a commit.
 *
 * It is a hint that saves waiting for the next look; without it, events come at the relay's own pace. Hence it never
 * throws and nobody waits for it. It has a connection of its own and a transaction of its own: NOTIFY takes a lock
 * at commit for which all notifying transactions of the cluster queue, and a request must not stand there.
 *
 * The first nudge goes out at once; further ones within the interval, or while the last is on its way, become one.
 * A lost connection is made anew with a back-off; what is nudged meanwhile is told when it is back.
 */
export class Nudger implements Service {
  readonly name = 'nudger';
  #stopping = new AbortController();
  #running: Promise<void> | undefined;
  #client: Client | undefined;
  #wanted = false;
  #sending = false;
  #timer: NodeJS.Timeout | undefined;
  #lastSentAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: NudgerOptions) {}

  async start(): Promise<void> {
    if (this.#running || this.options.intervalMs === 0) return;
    this.#stopping = new AbortController();
    this.#running = this.#keepConnected(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted = false;
  }

  /** Says that something was committed. Returns at once, whatever the database does. */
  nudge(): void {
    this.#wanted = true;
    this.#sendWhenDue();
  }

  #sendWhenDue(): void {
    if (!this.#wanted || !this.#client || this.#sending || this.#timer) return;
    const waitMs = this.#lastSentAt + this.options.intervalMs - performance.now();
    if (waitMs <= 0) {
      void this.#send(this.#client);
      return;
    }
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#sendWhenDue();
    }, waitMs);
    this.#timer.unref();
  }

  async #send(client: Client): Promise<void> {
    this.#wanted = false;
    this.#sending = true;
    this.#lastSentAt = performance.now();
    try {
      await client.query(`NOTIFY ${wakeUpChannel}`);
    } catch (error) {
      this.#wanted = true;
      this.options.logger.debug({ err: error }, 'a wake-up could not be sent');
    } finally {
      this.#sending = false;
    }
    this.#sendWhenDue();
  }

  async #keepConnected(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const client = createConnection({
        databaseUrl: this.options.databaseUrl,
        applicationName: 'signalbox-nudger',
        connectTimeoutMs,
      });
      const ended = untilEnded(client, signal);
      try {
        await client.connect();
        attempt = 0;
        this.#client = client;
        this.#sendWhenDue();
        await ended;
      } catch (error) {
        this.options.logger.debug({ err: error }, 'the nudger has no database connection; relays poll');
      }
      this.#client = undefined;
      await client.end().catch(() => undefined);
      if (!signal.aborted) await sleep(backoffMs(Math.max(attempt, 1), reconnect), signal);
    }
  }
}

/** Resolves when the connection is lost or is no longer wanted. */
export function untilEnded(client: Client, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      // The signal outlives many connections.
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end);
    client.on('error', end);
    client.on('end', end);
    if (signal.aborted) end();
  });
}
