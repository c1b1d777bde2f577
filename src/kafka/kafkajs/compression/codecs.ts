/*
 * kafkajs reads and writes gzip and leaves the other codecs of Kafka's to the application.
 */
import { CompressionCodecs, CompressionTypes } from 'kafkajs';
import { UserError } from '../../../shared/lifecycle';
import { lz4Package } from './packages';
import { compressSnappy, decompressSnappy } from './snappy';
import { compressZstd, decompressZstd } from './zstd';

/** In the order of the numbers that a batch's attributes hold. */
const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof names)[number];

const types: Readonly<Record<Compression, CompressionTypes>> = {
  none: CompressionTypes.None,
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
};

/** What kafkajs asks of a codec; it hands over an encoder that holds the records. */
interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(compressed: Buffer): Promise<Buffer>;
}

const snappy: KafkajsCodec = {
  compress: ({ buffer }) => compressSnappy(buffer),
  decompress: decompressSnappy,
};

/** The frame format; the package writes independent blocks, which Kafka's own reader insists on. */
const lz4: KafkajsCodec = {
  compress: async ({ buffer }) => lz4Package().compressFrame(buffer),
  decompress: async (compressed) => lz4Package().decompressFrame(compressed),
};

const zstd: KafkajsCodec = {
  compress: async ({ buffer }) => {
    if (!compressZstd) throw new Error('this version of Node cannot write zstd');
    return compressZstd(buffer);
  },
  decompress: decompressZstd,
};

/** Makes this process's kafkajs read and write all codecs of Kafka's. May be called repeatedly. */
export function installCodecs(): void {
  CompressionCodecs[CompressionTypes.Snappy] = () => snappy;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstd;
}

/**
 * What kafkajs calls a compression.
 * @throws UserError when this version of Node cannot write it.
 */
export function compressionType(compression: Compression): CompressionTypes {
  if (compression === 'zstd' && !compressZstd) {
    throw new UserError(
      `KAFKA_COMPRESSION="zstd" needs Node 22.15 or newer; this is ${process.version}. Use lz4, or a newer Node.`,
    );
  }
  return types[compression];
}

/** Whether the codec that a batch's attributes name is one of Kafka's five. */
export function isKnownCodec(attributes: number): boolean {
  return codeOf(attributes) < names.length;
}

/** The codec that a batch's attributes name, for people. */
export function codecName(attributes: number): string {
  return names[codeOf(attributes)] ?? `unknown codec ${codeOf(attributes)}`;
}

const codeOf = (attributes: number): number => attributes & 0x07;
