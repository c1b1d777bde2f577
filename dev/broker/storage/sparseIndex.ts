/** Where a batch starts, and the newest timestamp (milliseconds) in all batches before it. */
export interface IndexEntry {
  readonly offset: number;
  readonly position: number;
  readonly newestBefore: number;
}

/**
 * Where to start looking in a log file. It holds a bounded number of entries whatever the file's size: when it is
 * full, every other entry goes and the distance between new ones doubles.
 */
export class SparseIndex {
  private entries: IndexEntry[] = [];
  private distance: number;

  constructor(
    private readonly limit = 4_096,
    firstDistance = 16_384,
  ) {
    this.distance = firstDistance;
  }

  get size(): number {
    return this.entries.length;
  }

  /** Batches must come in the order in which they stand in the file. */
  add(entry: IndexEntry): void {
    const last = this.entries.at(-1);
    if (last !== undefined && entry.position - last.position < this.distance) return;
    this.entries.push(entry);
    if (this.entries.length < this.limit) return;
    this.entries = this.entries.filter((_, index) => index % 2 === 0);
    this.distance *= 2;
  }

  /** The file position of the last entry that starts at or before `offset`. */
  positionOf(offset: number): number {
    return this.last((entry) => entry.offset <= offset);
  }

  /** A file position before which everything is older than `timestamp`. */
  positionSince(timestamp: number): number {
    return this.last((entry) => entry.newestBefore < timestamp);
  }

  /** `holds` must be true for the first entries and false for the others. */
  private last(holds: (entry: IndexEntry) => boolean): number {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.entries[middle] as IndexEntry)) low = middle + 1;
      else high = middle;
    }
    return this.entries[low - 1]?.position ?? 0;
  }
}
