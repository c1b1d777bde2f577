/*
 * Whether this relay takes part in the publishing or stands by. A relay that reaches Postgres and not Kafka keeps its
 * heartbeat, so its lease never ends by itself: without this it would keep lanes that a healthy one could publish.
 *
 * It stands by until Kafka has answered it for the first time, and from the moment at which Kafka has failed it for a
 * lease's time; a poll that takes that long counts, too. It takes part again after a poll that succeeded. Some failures
 * show only with events to send: one that came back and has sent nothing before it failed again stands by longer each
 * time.
 */
const longestPause = 32;

export class Participation {
  #failingSince: number | undefined = Number.NEGATIVE_INFINITY;
  #busySince: number | undefined;
  #returns = 0;
  /** It may not return before that. */
  #returnAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly leaseMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  get standsBy(): boolean {
    const since = Math.min(this.#failingSince ?? Infinity, this.#busySince ?? Infinity);
    return this.now() - since >= this.leaseMs;
  }

  /** A poll begins. */
  begin(): void {
    this.#busySince = this.now();
  }

  /** Kafka has acknowledged something. */
  sent(): void {
    this.#failingSince = undefined;
    this.#busySince = this.now();
    this.#returns = 0;
    this.#returnAt = Number.NEGATIVE_INFINITY;
  }

  /** The poll has succeeded. */
  succeed(): void {
    this.#busySince = undefined;
    if (this.standsBy) {
      if (this.now() < this.#returnAt) return;
      this.#returns += 1;
      this.#returnAt = this.now() + this.leaseMs * Math.min(2 ** this.#returns, longestPause);
    }
    this.#failingSince = undefined;
  }

  /** The poll has failed, for Kafka's sake or not. */
  fail(isKafka: boolean): void {
    if (isKafka) this.#failingSince ??= this.#busySince ?? this.now();
    this.#busySince = undefined;
  }
}
