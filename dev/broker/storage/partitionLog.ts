/**
 * The log of one partition: record batches one behind the other in a single append-only file, as they travel over
 * the wire. There are no segments, because nothing in this broker ever expires.
 *
 * Guarantees: a batch is in the file (in the operating system's hands, not synced to disk) before its producer hears
 * of it, so kill -9 of the broker loses nothing that was acknowledged. A batch that was cut short by such an end is
 * found by its length or checksum at the next start and removed.
 *
 * Files are read and written synchronously: each call takes microseconds from the page cache, and two appends can
 * never get in each other's way. In memory are the sparse index, the producers and a few positions, whatever the size.
 */
import { ftruncateSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BatchHeader, isIntact, lastOffsetOf, place, readHeader, sizeAt } from '../protocol/recordBatch';
import { firstRecordSince, type RecordPlace } from '../protocol/records';
import { readRange, type ScannedBatch, scanBatches } from './batchScanner';
import type { OpenFiles } from './openFiles';
import { Producers } from './producers';
import { SparseIndex } from './sparseIndex';
import { writeFully } from './writeFully';

const recentPositions = 32;

export class PartitionLog {
  /** The offset that the next record gets. */
  end = 0;
  /** Records before this offset have been deleted. */
  start = 0;
  private size = 0;
  private newest = -1;
  private readonly index = new SparseIndex();
  private readonly producers = new Producers();
  /** Where batches start that readers will most likely ask for next: file positions by offset, the latest last. */
  private readonly positions = new Map<number, number>();
  private readonly waiting = new Set<() => void>();

  constructor(
    readonly file: string,
    private readonly files: OpenFiles,
  ) {}

  /** Reads what is there. Returns how many bytes of a batch that was cut short were removed from the end. */
  load(): number {
    const stats = statSync(this.file, { throwIfNoEntry: false });
    if (stats === undefined || stats.size === 0) return 0;
    const descriptor = this.files.descriptor(this.file);
    for (const batch of scanBatches(descriptor, 0, stats.size, 1 << 20)) {
      if (batch.header.baseOffset !== this.end || !isIntact(batch.bytes(), batch.header)) break;
      this.took(batch.header);
    }
    if (this.size < stats.size) ftruncateSync(descriptor, this.size);
    return stats.size - this.size;
  }

  /**
   * Writes one batch, whose header has been checked, and returns the offset of its first record. The batch's own
   * base offset is changed in place. One that was written before is not written again and keeps its offset.
   * @throws ProtocolError when the producer's epoch or sequence forbids it.
   */
  append(batch: Buffer, header: BatchHeader): number {
    const duplicate = this.producers.findDuplicate(header);
    if (duplicate !== undefined) return duplicate;
    const baseOffset = this.end;
    place(batch, baseOffset);
    if (this.size === 0) mkdirSync(dirname(this.file), { recursive: true });
    writeFully(this.files.descriptor(this.file), batch, this.size);
    this.took({ ...header, baseOffset });
    this.wakeReaders();
    return baseOffset;
  }

  /** Bytes that a reader at `offset` has before it; a little more where the offset lies within a batch. */
  bytesFrom(offset: number): number {
    return this.size - this.positionOf(offset);
  }

  /**
   * Whole batches from the one that holds `offset` on, `maxBytes` at most. Where the first alone is larger, it comes
   * nevertheless if `atLeastOne` is set: otherwise a reader would never get past it.
   */
  read(offset: number, maxBytes: number, atLeastOne: boolean): Buffer {
    const position = this.positionOf(offset);
    const available = this.size - position;
    if (available === 0) return Buffer.alloc(0);
    const descriptor = this.files.descriptor(this.file);
    const bytes = readRange(descriptor, position, Math.min(available, Math.max(maxBytes, 12)));
    const firstSize = sizeAt(bytes, 0) ?? 0;
    if (firstSize > maxBytes)
      return atLeastOne ? readRange(descriptor, position, firstSize) : Buffer.alloc(0);
    const end = this.wholeBatches(bytes, position);
    return end > 0 ? bytes.subarray(0, end) : this.failBecauseOfChange(offset);
  }

  /** The first record that is not older than `timestamp`, in milliseconds. */
  findSince(timestamp: number): RecordPlace | undefined {
    if (timestamp > this.newest) return undefined;
    for (const batch of this.scan(this.index.positionSince(timestamp))) {
      if (batch.header.maxTimestamp < timestamp || lastOffsetOf(batch.header) < this.start) continue;
      const found = firstRecordSince(batch.bytes(), batch.header, timestamp, this.start);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Calls `wake` at the next append, and when the log goes away. Returns how to take that back. */
  onChange(wake: () => void): () => void {
    this.waiting.add(wake);
    return () => this.waiting.delete(wake);
  }

  remove(): void {
    this.files.close(this.file);
    rmSync(this.file, { force: true });
    this.wakeReaders();
  }

  /** Counts a batch that stands at the end of the file. */
  private took(header: BatchHeader): void {
    this.index.add({ offset: header.baseOffset, position: this.size, newestBefore: this.newest });
    this.producers.remember(header);
    this.newest = Math.max(this.newest, header.maxTimestamp);
    this.size += header.size;
    this.end = lastOffsetOf(header) + 1;
  }

  private positionOf(offset: number): number {
    if (offset >= this.end) {
      this.remember(this.end, this.size);
      return this.size;
    }
    const known = this.positions.get(offset);
    if (known !== undefined) return known;
    for (const { position, header } of this.scan(this.index.positionOf(offset))) {
      if (lastOffsetOf(header) >= offset) return position;
    }
    return this.failBecauseOfChange(offset);
  }

  private wholeBatches(bytes: Buffer, position: number): number {
    let end = 0;
    let next: number | undefined;
    for (let header = readHeader(bytes, 0); header !== undefined; header = readHeader(bytes, end)) {
      if (end + header.size > bytes.length) break;
      end += header.size;
      next = lastOffsetOf(header) + 1;
    }
    if (next !== undefined) this.remember(next, position + end);
    return end;
  }

  private failBecauseOfChange(offset: number): never {
    throw new Error(`${this.file} does not hold offset ${offset}: it was changed while the broker ran.`);
  }

  private remember(offset: number, position: number): void {
    this.positions.delete(offset);
    this.positions.set(offset, position);
    const [oldest] = this.positions.keys();
    if (this.positions.size > recentPositions && oldest !== undefined) this.positions.delete(oldest);
  }

  private scan(position: number): Generator<ScannedBatch> {
    return scanBatches(this.files.descriptor(this.file), position, this.size);
  }

  private wakeReaders(): void {
    const readers = [...this.waiting];
    this.waiting.clear();
    for (const wake of readers) wake();
  }
}
