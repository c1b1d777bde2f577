/**
 * The broker's memory beside the partition logs: topics, settings, committed offsets, as a file of changes.
 *
 * Each entry is framed as length (4 bytes), CRC-32C (4 bytes), JSON. It is in the file before the caller goes on, so
 * kill -9 loses no answered change; an entry that was cut short is removed at the next start. The file is written
 * anew, with what is still true only, at each start and when it has grown to a multiple of that; the new file
 * replaces the old one in one step, so that an end at any moment leaves one of the two.
 */
import { closeSync, constants, ftruncateSync, openSync, readFileSync, renameSync } from 'node:fs';
import { crc32c } from '../protocol/crc32c';
import { writeFully } from './writeFully';

const frameBytes = 8;

export interface JournalOptions<Entry> {
  readonly file: string;
  /** Takes one entry into account: at start for every entry in the file, later for each new one. */
  apply(entry: Entry): void;
  /** The entries that make up the present state. */
  snapshot(): Iterable<Entry>;
  /** Below this size in bytes a file is never written anew. */
  readonly smallFile?: number;
}

export class Journal<Entry> {
  private descriptor = -1;
  private size = 0;
  private sizeAfterCompaction = 0;

  constructor(private readonly options: JournalOptions<Entry>) {}

  /** Applies what is in the file. Returns how many bytes of an entry that was cut short were dropped. */
  open(): number {
    this.descriptor = openSync(this.options.file, constants.O_RDWR | constants.O_CREAT);
    const content = readFileSync(this.descriptor);
    for (let next = entryAt(content, 0); next !== undefined; next = entryAt(content, next.end)) {
      this.options.apply(JSON.parse(next.json) as Entry);
      this.size = next.end;
    }
    ftruncateSync(this.descriptor, this.size);
    const dropped = content.length - this.size;
    this.compact();
    return dropped;
  }

  /** Writes the entry, then applies it. */
  append(entry: Entry): void {
    const frame = frameOf(entry);
    writeFully(this.descriptor, frame, this.size);
    this.size += frame.length;
    this.options.apply(entry);
    const { smallFile = 4_194_304 } = this.options;
    if (this.size > Math.max(smallFile, 4 * this.sizeAfterCompaction)) this.compact();
  }

  close(): void {
    if (this.descriptor >= 0) closeSync(this.descriptor);
    this.descriptor = -1;
  }

  private compact(): void {
    const draft = `${this.options.file}.new`;
    const content = Buffer.concat(Array.from(this.options.snapshot(), frameOf));
    const descriptor = openSync(draft, 'w+');
    try {
      writeFully(descriptor, content, 0);
      renameSync(draft, this.options.file);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    closeSync(this.descriptor);
    this.descriptor = descriptor;
    this.size = content.length;
    this.sizeAfterCompaction = content.length;
  }
}

function frameOf(entry: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(entry));
  const frame = Buffer.allocUnsafe(frameBytes + json.length);
  frame.writeUInt32BE(json.length, 0);
  frame.writeUInt32BE(crc32c(json), 4);
  json.copy(frame, frameBytes);
  return frame;
}

function entryAt(content: Buffer, position: number): { json: string; end: number } | undefined {
  const start = position + frameBytes;
  if (start > content.length) return undefined;
  const end = start + content.readUInt32BE(position);
  if (end === start || end > content.length) return undefined;
  if (crc32c(content, start, end) !== content.readUInt32BE(position + 4)) return undefined;
  return { json: content.toString('utf8', start, end), end };
}
