import type { EachBatch } from '../ports';

/** How far a member is behind in one of its partitions. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Messages that are left. */
  readonly lag: number;
  /** The time of the oldest of them in milliseconds since 1970, where that is known. */
  readonly oldestAt?: number | undefined;
}

/** How often a batch that is worked through is reported, in milliseconds. */
const reportIntervalMs = 1_000;

/**
 * Reports how much of a partition is left while one of its batches is worked through: at the start, once a second, and
 * when `report` is called. So the age of the oldest message is known from its first attempt on, even if that never ends.
 */
export class BatchProgress {
  #reportedAt = 0;
  /** The offset of the first message that is left. */
  next: bigint;

  constructor(
    private readonly batch: EachBatch['batch'],
    first: bigint,
    private readonly onLag: ((lag: PartitionLag) => void) | undefined,
  ) {
    this.next = first;
    this.report();
  }

  /** Everything before this offset is done with. */
  passed(next: bigint): void {
    this.next = next;
    if (Date.now() - this.#reportedAt >= reportIntervalMs) this.report();
  }

  /** Reports what is left now. */
  report(): void {
    if (!this.onLag) return;
    this.#reportedAt = Date.now();
    const { topic, partition, highWatermark, messages } = this.batch;
    const { next } = this;
    // Mostly the batch has just begun, or is over.
    const isOver = BigInt(messages.at(-1)?.offset ?? -1) < next;
    const first = isOver ? undefined : messages.find(({ offset }) => BigInt(offset) >= next);
    const oldestAt = first && Number(first.timestamp);
    this.onLag({ topic, partition, lag: Math.max(0, Number(BigInt(highWatermark) - next)), oldestAt });
  }
}
