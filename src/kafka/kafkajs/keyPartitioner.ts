import type { ICustomPartitioner } from 'kafkajs';

/**
 * Gives a key the partition that every Kafka client gives it: murmur2 of its bytes. kafkajs's own computes it with
 * BigInts, several microseconds a message; this one with 32-bit numbers.
 */
export const keyPartitioner: ICustomPartitioner =
  () =>
  ({ partitionMetadata, message: { key } }) => {
    if (key === null || key === undefined) throw new Error('A message without a key has no partition');
    const bytes = Buffer.isBuffer(key) ? key : Buffer.from(key);
    return (murmur2(bytes) & 0x7fffffff) % partitionMetadata.length;
  };

const seed = 0x9747b28c;
const m = 0x5bd1e995;

/** As in org.apache.kafka.common.utils.Utils, whose result is what other clients compute. */
export function murmur2(data: Buffer): number {
  const whole = data.length & ~3;
  let hash = seed ^ data.length;
  for (let index = 0; index < whole; index += 4) {
    const k = Math.imul(data.readInt32LE(index), m);
    hash = Math.imul(hash, m) ^ Math.imul(k ^ (k >>> 24), m);
  }
  const rest = data.length - whole;
  if (rest > 0) hash = Math.imul(hash ^ data.readUIntLE(whole, rest), m);
  hash = Math.imul(hash ^ (hash >>> 13), m);
  return hash ^ (hash >>> 15);
}
