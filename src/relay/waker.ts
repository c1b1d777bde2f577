import { untilEnded, wakeUpChannel } from '../outbox/nudger';
import { backoffMs } from '../shared/backoff';
import { createConnection } from '../shared/database';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { sleep } from '../shared/sleep';

export interface WakerOptions {
  readonly databaseUrl: string;
  readonly onWake: () => void;
  readonly logger: Logger;
}

const reconnect = { initialMs: 100, maxMs: 10_000 };
const connectTimeoutMs = 5_000;

/**
 * Listens for wake-ups on a connection of its own. A wake-up is a hint and polling the truth: while the connection is
 * away the relay only reacts later. Each new connection counts as a wake-up, for those that were missed.
 */
export class Waker implements Service {
  readonly name = 'waker';
  #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly options: WakerOptions) {}

  async start(): Promise<void> {
    if (this.#running) return;
    this.#stopping = new AbortController();
    this.#running = this.#keepListening(this.#stopping.signal);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    this.#running = undefined;
  }

  async #keepListening(signal: AbortSignal): Promise<void> {
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      const client = createConnection({
        databaseUrl: this.options.databaseUrl,
        applicationName: 'signalbox-relay-waker',
        connectTimeoutMs,
      });
      const ended = untilEnded(client, signal);
      client.on('notification', () => this.options.onWake());
      try {
        await client.connect();
        await client.query(`LISTEN ${wakeUpChannel}`);
        attempt = 0;
        this.options.onWake();
        await ended;
      } catch (error) {
        this.options.logger.debug({ err: error }, 'no wake-ups for now; the relay polls');
      }
      await client.end().catch(() => undefined);
      if (!signal.aborted) await sleep(backoffMs(Math.max(attempt, 1), reconnect), signal);
    }
  }
}
