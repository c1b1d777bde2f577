/** How far a run has come: on a terminal one line that changes, elsewhere a line now and then. */
export class Progress {
  #done = 0;
  #saidAt: number;
  readonly #startedAt: number;
  readonly #everyMs: number;

  constructor(
    private readonly total: number,
    private readonly stream: { readonly isTTY?: boolean; write(text: string): unknown },
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#startedAt = this.#saidAt = now();
    this.#everyMs = stream.isTTY ? 250 : 60_000;
  }

  advance(): void {
    this.#done++;
    const now = this.now();
    if (now - this.#saidAt < this.#everyMs) return;
    this.#saidAt = now;
    const line = progressLine(this.#done, this.total, (now - this.#startedAt) / 1_000);
    this.stream.write(this.stream.isTTY ? `\r\u001B[2K${line}` : `${line}\n`);
  }

  /** Leaves a clean line for what is printed next. */
  end(): void {
    if (this.stream.isTTY) this.stream.write('\r\u001B[2K');
  }
}

export function progressLine(done: number, total: number, seconds: number): string {
  const perSecond = done / seconds;
  const left = Math.round((total - done) / perSecond);
  return `${done} of ${total} sequences, ${perSecond.toFixed(1)}/s, ${clock(left)} left`;
}

function clock(seconds: number): string {
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, seconds % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
