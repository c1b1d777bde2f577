/*
 * Where the records of each partition lie in the answer to a fetch. kafkajs decodes all of an answer or nothing, so
 * finding the part that it fails on takes a reading of our own: of the lengths alone.
 */

/** The bytes that one partition has in an answer. */
export interface RecordSet {
  readonly topic: string;
  readonly partition: number;
  /** Where its length is written, four bytes long; the bytes follow. */
  readonly lengthAt: number;
  readonly bytes: Buffer;
}

/** The record sets of an answer, in its order. `version` is the one of the request: 4 to 11. */
export function findRecordSets(answer: Buffer, version: number): RecordSet[] {
  const cursor = new Cursor(answer);
  // The throttling time, and from version 7 on an error and a session.
  cursor.skip(version >= 7 ? 10 : 4);
  const sets: RecordSet[] = [];
  for (let topics = cursor.int32(); topics > 0; topics -= 1) {
    const topic = cursor.string();
    for (let partitions = cursor.int32(); partitions > 0; partitions -= 1) {
      sets.push(readPartition(cursor, topic, version));
    }
  }
  return sets;
}

function readPartition(cursor: Cursor, topic: string, version: number): RecordSet {
  const partition = cursor.int32();
  // The error, the high watermark and the last stable offset; from version 5 on the first offset.
  cursor.skip(version >= 5 ? 26 : 18);
  // Aborted transactions, of 16 bytes each; a null array has the length -1.
  cursor.skip(16 * Math.max(0, cursor.int32()));
  if (version >= 11) cursor.skip(4);
  const lengthAt = cursor.at;
  return { topic, partition, lengthAt, bytes: cursor.bytes(Math.max(0, cursor.int32())) };
}

class Cursor {
  at = 0;

  constructor(private readonly buffer: Buffer) {}

  skip(bytes: number): void {
    this.at += bytes;
  }

  int32(): number {
    const value = this.buffer.readInt32BE(this.at);
    this.at += 4;
    return value;
  }

  string(): string {
    const length = this.buffer.readInt16BE(this.at);
    this.at += 2;
    return this.bytes(length).toString();
  }

  bytes(length: number): Buffer {
    const end = this.at + length;
    if (end > this.buffer.length) throw new RangeError('the answer to a fetch ends too early');
    const found = this.buffer.subarray(this.at, end);
    this.at = end;
    return found;
  }
}
