/** Record batches made by hand, as a producer would send them. */
import { gunzipSync, gzipSync } from 'node:zlib';
import { crc32c } from '../../../../dev/broker/protocol/crc32c';
import { headerBytes, readHeader } from '../../../../dev/broker/protocol/recordBatch';
import { Writer } from '../../../../dev/broker/protocol/writer';

export interface BatchOptions {
  readonly values: readonly string[];
  /** One for each value; 1,000 and up if not given. */
  readonly timestamps?: readonly number[];
  readonly producerId?: number;
  readonly epoch?: number;
  readonly sequence?: number;
  readonly gzip?: boolean;
  /** The number of a compression that the batch claims to have; the records are not compressed. */
  readonly codec?: number;
  /** How many records the batch claims to have. */
  readonly announced?: number;
}

export function makeBatch(options: BatchOptions): Buffer {
  const { values, producerId = -1, epoch = -1, sequence = -1, gzip = false } = options;
  const timestamps = options.timestamps ?? values.map((_, index) => 1_000 + index);
  const base = timestamps[0] ?? 0;
  const records = Buffer.concat(
    values.map((value, index) => record(index, (timestamps[index] ?? base) - base, value)),
  );
  const body = Buffer.concat(
    new Writer()
      .int16(options.codec ?? (gzip ? 1 : 0))
      .int32(values.length - 1)
      .int64(base)
      .int64(Math.max(...timestamps))
      .int64(producerId)
      .int16(epoch)
      .int32(sequence)
      .int32(options.announced ?? values.length)
      .raw(gzip ? gzipSync(records) : records)
      .chunks(),
  );
  const head = new Writer()
    .int64(0)
    .int32(9 + body.length)
    .int32(-1)
    .int8(2);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32c(body));
  return Buffer.concat([...head.chunks(), crc, body]);
}

function record(offsetDelta: number, timeDelta: number, value: string): Buffer {
  const bytes = Buffer.from(value);
  const body = Buffer.concat([
    Buffer.from([0]),
    varint(timeDelta),
    varint(offsetDelta),
    varint(-1),
    varint(bytes.length),
    bytes,
    varint(0),
  ]);
  return Buffer.concat([varint(body.length), body]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value < 0 ? -2 * value - 1 : 2 * value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Buffer.from([...bytes, rest]);
}

export interface SeenBatch {
  readonly baseOffset: number;
  readonly recordCount: number;
  /** The bytes of the records, uncompressed. */
  readonly content: string;
}

/** The whole batches in a fetched range. */
export function readBatches(records: Buffer): SeenBatch[] {
  const batches: SeenBatch[] = [];
  for (let at = 0, header = readHeader(records); header !== undefined; header = readHeader(records, at)) {
    if (at + header.size > records.length) break;
    const body = records.subarray(at + headerBytes, at + header.size);
    const content = (header.compression === 1 ? gunzipSync(body) : body).toString('latin1');
    batches.push({ baseOffset: header.baseOffset, recordCount: header.recordCount, content });
    at += header.size;
  }
  return batches;
}
