import { gunzipSync } from 'node:zlib';
import { type BatchHeader, headerBytes } from './recordBatch';

export interface RecordPlace {
  readonly offset: number;
  readonly timestamp: number;
}

/**
 * The first record of a batch that is not older than `timestamp` (milliseconds), nor before `fromOffset`. In a batch
 * whose compression Node does not know (snappy, lz4, zstd) that is taken to be the first one asked for.
 */
export function firstRecordSince(
  batch: Buffer,
  header: BatchHeader,
  timestamp: number,
  fromOffset: number,
): RecordPlace | undefined {
  const records = uncompressed(batch, header);
  if (records === undefined) {
    return { offset: Math.max(header.baseOffset, fromOffset), timestamp: header.maxTimestamp };
  }
  let position = 0;
  for (let index = 0; index < header.recordCount; index += 1) {
    const length = readVarint(records, position);
    const timeDelta = readVarint(records, length.end + 1);
    const offsetDelta = readVarint(records, timeDelta.end);
    const found = {
      offset: header.baseOffset + offsetDelta.value,
      timestamp: header.baseTimestamp + timeDelta.value,
    };
    if (found.timestamp >= timestamp && found.offset >= fromOffset) return found;
    position = length.end + length.value;
  }
  return undefined;
}

function uncompressed(batch: Buffer, { compression, size }: BatchHeader): Buffer | undefined {
  const records = batch.subarray(headerBytes, size);
  if (compression === 0) return records;
  return compression === 1 ? gunzipSync(records) : undefined;
}

/** A zigzag number of up to 64 bits; with multiplications, since shifts end at 32. */
function readVarint(buffer: Buffer, start: number): { value: number; end: number } {
  let raw = 0;
  let scale = 1;
  let end = start;
  for (;;) {
    const byte = buffer.readUInt8(end);
    end += 1;
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 128;
  }
  return { value: raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2, end };
}
