/* The batches of a record set, and which of them cannot be read. */
import { codecName, isKnownCodec } from '../compression/codecs';

/** A batch that cannot be read. */
export interface UnreadableBatch {
  /** Offsets of its first record and of the record after it, as decimal strings. */
  readonly from: string;
  readonly next: string;
  readonly codec: string;
  /** Why, without any value of a record. */
  readonly reason: string;
  /** Where it begins in its record set, in bytes. */
  readonly at: number;
}

/** Decodes one whole batch; rejects when it cannot be. */
export type DecodeBatch = (batch: Buffer) => Promise<unknown>;

/** Offset and length, which all formats begin with. */
const prefixBytes = 12;
const magicAt = 16;
const crcAt = 17;
const attributesAt = 21;
const lastOffsetDeltaAt = 23;
/** What a batch of the current format has before its records. */
const headerBytes = 61;
const currentMagic = 2;

// An inner file of kafkajs without types; test/unit/kafka/tolerantFetch.test.ts notices if it changes.
// eslint-disable-next-line typescript/no-require-imports
const crc32c = require('kafkajs/src/protocol/recordBatch/crc32C') as (bytes: Buffer) => number;

/** Whether length and checksum of all batches are right: kafkajs verifies neither. */
export function isIntact(records: Buffer): boolean {
  for (const { batch } of batchesOf(records)) if (damageOf(batch)) return false;
  return true;
}

/** The first batch that is damaged or that `decode` rejects. */
export async function findUnreadable(
  records: Buffer,
  decode: DecodeBatch,
): Promise<UnreadableBatch | undefined> {
  for (const { at, batch } of batchesOf(records)) {
    const reason = damageOf(batch) ?? (await failureOf(batch, decode));
    if (reason !== undefined) return { ...identify(batch), reason, at };
  }
  return undefined;
}

/** Whole batches of the current format; the last one of a record set may be cut off, and is left for the next fetch. */
function* batchesOf(records: Buffer): Generator<{ readonly at: number; readonly batch: Buffer }> {
  for (let at = 0; at + headerBytes <= records.length;) {
    if (records.readInt8(at + magicAt) !== currentMagic) return;
    const size = prefixBytes + records.readInt32BE(at + 8);
    if (at + size > records.length) return;
    yield { at, batch: records.subarray(at, at + Math.max(size, prefixBytes)) };
    if (size < headerBytes) return;
    at += size;
  }
}

function damageOf(batch: Buffer): string | undefined {
  if (batch.length < headerBytes) return 'its length is wrong';
  if (batch.readUInt32BE(crcAt) !== crc32c(batch.subarray(attributesAt))) return 'its checksum is wrong';
  // kafkajs takes records of a codec that it has not heard of for uncompressed ones.
  return isKnownCodec(batch.readInt16BE(attributesAt)) ? undefined : 'this version cannot read it';
}

async function failureOf(batch: Buffer, decode: DecodeBatch): Promise<string | undefined> {
  try {
    await decode(batch);
    return undefined;
  } catch (error) {
    // The message of a package that is not there goes on for many lines.
    const [line = ''] = error instanceof Error ? error.message.split('\n', 1) : [];
    return line === '' ? 'it cannot be decoded' : line.slice(0, 200);
  }
}

function identify(batch: Buffer): Pick<UnreadableBatch, 'from' | 'next' | 'codec'> {
  const from = batch.readBigInt64BE(0);
  if (batch.length < headerBytes)
    return { from: String(from), next: String(from + 1n), codec: 'unknown codec' };
  const records = BigInt(Math.max(0, batch.readInt32BE(lastOffsetDeltaAt))) + 1n;
  return {
    from: String(from),
    next: String(from + records),
    codec: codecName(batch.readInt16BE(attributesAt)),
  };
}
