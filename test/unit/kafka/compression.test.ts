import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { compress } from 'snappy';
import { codecName, compressionType, installCodecs } from '../../../src/kafka/kafkajs/compression/codecs';
import { UserError } from '../../../src/shared/lifecycle';
import batches from '../../fixtures/compressedBatches.json';

const require = createRequire(__filename);
const Decoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => object;
const decodeBatch = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: object,
) => Promise<{ records: { value: Buffer }[] }>;

const writesZstd = 'zstdCompress' in (require('node:zlib') as object);
const codecs = [
  ['snappy', CompressionTypes.Snappy],
  ['lz4', CompressionTypes.LZ4],
  ['zstd', CompressionTypes.ZSTD],
] as const;

interface Codec {
  compress(encoder: { buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

function codecOf(type: Exclude<CompressionTypes, CompressionTypes.None>): Codec {
  installCodecs();
  return CompressionCodecs[type]() as Codec;
}

/** Three lines, sent to Apache Kafka 4.3 by its own producer and by kcat. */
test.each(Object.entries(batches))('reads what others have written: %s', async (_name, base64) => {
  installCodecs();
  const { records } = await decodeBatch(new Decoder(Buffer.from(base64, 'base64')));
  const text = 'wörd '.repeat(12);
  expect(records.map(({ value }) => JSON.parse(String(value)) as unknown)).toEqual(
    [1, 2, 3].map((event) => ({ event, text })),
  );
});

const contents = {
  'one byte': Buffer.from('x'),
  'just a block': Buffer.alloc(32_768, 'ab'),
  'one byte more than a block': Buffer.alloc(32_769, 'ab'),
  'much that repeats': Buffer.alloc(3_000_000, 'the same again, '),
  'much that does not': randomBytes(300_000),
};

describe.each(codecs.filter(([name]) => name !== 'zstd' || writesZstd))('%s', (_name, type) => {
  it.each(Object.entries(contents))('comes back as it was written: %s', async (_what, content) => {
    const codec = codecOf(type);
    expect((await codec.decompress(await codec.compress({ buffer: content }))).equals(content)).toBe(true);
  });
});

test.each(codecs)('%s that is damaged is refused', async (_name, type) => {
  await expect(codecOf(type).decompress(Buffer.from('not compressed at all'))).rejects.toThrow();
});

test.each([
  ['a negative length', -20],
  ['a length past the end', 1_000_000],
])('a framed snappy block with %s is refused', async (_what, length) => {
  const snappy = codecOf(CompressionTypes.Snappy);
  const framed = await snappy.compress({ buffer: Buffer.from('some words, some words') });
  framed.writeInt32BE(length, 16);
  await expect(snappy.decompress(framed)).rejects.toThrow('impossible length');
});

test('a raw snappy block, as librdkafka writes it, is read', async () => {
  const content = Buffer.alloc(100_000, 'abc');
  expect(await codecOf(CompressionTypes.Snappy).decompress(await compress(content))).toEqual(content);
});

test('a codec is named by the attributes of a batch, whatever else they say', () => {
  expect([0, 1, 2, 3, 4, 0x18 | 4, 7].map(codecName)).toEqual([
    'none',
    'gzip',
    'snappy',
    'lz4',
    'zstd',
    'zstd',
    'unknown codec 7',
  ]);
});

test('a compression that this Node cannot write is refused before anything is sent', () => {
  expect(compressionType('lz4')).toBe(CompressionTypes.LZ4);
  if (writesZstd) expect(compressionType('zstd')).toBe(CompressionTypes.ZSTD);
  else {
    expect(() => compressionType('zstd')).toThrow(UserError);
    expect(() => compressionType('zstd')).toThrow(/KAFKA_COMPRESSION="zstd" needs Node 22.15/);
  }
});
