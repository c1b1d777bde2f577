/*
 * Snappy as Kafka's clients write it. Java's frames it with a header and blocks (the format of snappy-java, "xerial");
 * librdkafka writes one raw block. Both are read; the framed form is written, which every client reads.
 */
import { snappyPackage } from './packages';

const magic = Buffer.from([0x82, ...Buffer.from('SNAPPY'), 0]);
/** The magic, then the version and the oldest version that can read it, both 1. */
const header = Buffer.concat([magic, Buffer.from([0, 0, 0, 1, 0, 0, 0, 1])]);
/** What Java's client puts into a block, in bytes. */
const blockBytes = 32_768;

/** Compresses into framed blocks. */
export async function compressSnappy(content: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [header];
  for (let from = 0; from < content.length; from += blockBytes) {
    const block = await snappyPackage().compress(content.subarray(from, from + blockBytes));
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    parts.push(length, block);
  }
  return Buffer.concat(parts);
}

/** Decompresses framed blocks or one raw block. Rejects when the input is damaged. */
export async function decompressSnappy(compressed: Buffer): Promise<Buffer> {
  if (!compressed.subarray(0, magic.length).equals(magic)) return decompressBlock(compressed);
  const parts: Buffer[] = [];
  for (let at = header.length; at < compressed.length;) {
    const from = at + 4;
    at = from + compressed.readInt32BE(at);
    // A negative length would lead back to where we were.
    if (at < from || at > compressed.length) throw new Error('a snappy block has an impossible length');
    parts.push(await decompressBlock(compressed.subarray(from, at)));
  }
  return Buffer.concat(parts);
}

async function decompressBlock(block: Buffer): Promise<Buffer> {
  return Buffer.from(await snappyPackage().uncompress(block));
}
