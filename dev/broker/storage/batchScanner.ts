import { readSync } from 'node:fs';
import { type BatchHeader, headerBytes, readHeader } from '../protocol/recordBatch';

export interface ScannedBatch {
  readonly position: number;
  readonly header: BatchHeader;
  /** The whole batch; read only when asked for, and to be used before the scan goes on. */
  bytes(): Buffer;
}

/** The batches of a log file from `position` to `end`, in order. It stops where no whole batch follows. */
export function* scanBatches(
  descriptor: number,
  position: number,
  end: number,
  windowBytes = 65_536,
): Generator<ScannedBatch> {
  let window: Buffer = Buffer.alloc(0);
  let windowStart = position;
  const load = (at: number, bytes: number): number => {
    const inWindow = at >= windowStart && at + bytes <= windowStart + window.length;
    if (!inWindow) {
      window = readRange(descriptor, at, Math.min(end - at, Math.max(bytes, windowBytes)));
      windowStart = at;
    }
    return at - windowStart;
  };
  for (let at = position; at + headerBytes <= end;) {
    const index = load(at, headerBytes);
    const header = readHeader(window, index);
    if (header === undefined || header.size < headerBytes || at + header.size > end) return;
    const start = at;
    yield {
      position: start,
      header,
      bytes: () => {
        const from = load(start, header.size);
        return window.subarray(from, from + header.size);
      },
    };
    at += header.size;
  }
}

/** Reads a range of a file; shorter than asked for only where the file ends. */
export function readRange(descriptor: number, position: number, length: number): Buffer {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const read = readSync(descriptor, buffer, filled, length - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return buffer.subarray(0, filled);
}
