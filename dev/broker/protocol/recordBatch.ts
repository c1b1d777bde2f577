import { crc32c } from './crc32c';
import { readInt64 } from './reader';
import { writeInt64 } from './writer';

/** Bytes before the first record. */
export const headerBytes = 61;
/** Bytes before those that the batch's own length counts: base offset and length. */
const lengthEnd = 12;
const crcStart = 21;

/** What the broker reads of a record batch (format 2, the only one since Kafka 0.11); the records stay as they are. */
export interface BatchHeader {
  readonly baseOffset: number;
  /** Of the whole batch, in bytes. */
  readonly size: number;
  readonly magic: number;
  readonly crc: number;
  readonly compression: number;
  readonly transactional: boolean;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  /** -1: the producer is not idempotent. */
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** The size in bytes of the batch that starts at `position`; undefined where not even its length is there. */
export function sizeAt(buffer: Buffer, position: number): number | undefined {
  if (position + lengthEnd > buffer.length) return undefined;
  return lengthEnd + buffer.readInt32BE(position + 8);
}

/** The header of the batch that starts at `position`; undefined when the buffer ends before the header does. */
export function readHeader(buffer: Buffer, position = 0): BatchHeader | undefined {
  if (position + headerBytes > buffer.length) return undefined;
  const attributes = buffer.readInt16BE(position + 21);
  return {
    baseOffset: readInt64(buffer, position),
    size: lengthEnd + buffer.readInt32BE(position + 8),
    magic: buffer.readInt8(position + 16),
    crc: buffer.readUInt32BE(position + 17),
    compression: attributes & 0b111,
    transactional: (attributes & 0b110000) !== 0,
    lastOffsetDelta: buffer.readInt32BE(position + 23),
    baseTimestamp: readInt64(buffer, position + 27),
    maxTimestamp: readInt64(buffer, position + 35),
    producerId: readInt64(buffer, position + 43),
    producerEpoch: buffer.readInt16BE(position + 51),
    baseSequence: buffer.readInt32BE(position + 53),
    recordCount: buffer.readInt32BE(position + 57),
  };
}

/** Whether a whole batch starts at `position`, as its producer sent it. */
export function isIntact(buffer: Buffer, header: BatchHeader, position = 0): boolean {
  const end = position + header.size;
  if (header.magic !== 2 || header.size < headerBytes || end > buffer.length) return false;
  return crc32c(buffer, position + crcStart, end) === header.crc;
}

/** Gives a batch its place in the log. The checksum does not cover these fields, so that a broker can set them. */
export function place(batch: Buffer, baseOffset: number): void {
  writeInt64(batch, baseOffset, 0);
  batch.writeInt32BE(0, lengthEnd);
}

export function lastOffsetOf(header: BatchHeader): number {
  return header.baseOffset + header.lastOffsetDelta;
}
