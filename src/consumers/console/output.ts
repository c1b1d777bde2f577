import { once } from 'node:events';
import type { Writable } from 'node:stream';

/**
 * Writes to a pipe or terminal at the speed of whoever reads it. When the reader has gone (`| head -1`), `closed` is
 * aborted and nothing more is written; that is no error.
 */
export class Output {
  readonly #closed = new AbortController();

  constructor(private readonly stream: Writable) {
    stream.on('error', () => this.#closed.abort());
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  async write(text: string): Promise<void> {
    if (this.closed.aborted || this.stream.write(text)) return;
    // The wait ends when the reader has caught up, or has gone.
    await once(this.stream, 'drain', { signal: this.closed }).catch(() => undefined);
  }
}
