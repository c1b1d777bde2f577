/*
 * Zstandard. Node has it from 22.15 on, and works on another thread then; for older versions there is a reader in
 * JavaScript, and no writer.
 */
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { fzstdPackage } from './packages';

type Codec = (content: Buffer) => Promise<Buffer>;

/** Absent from the types of Node 20, as from Node 20. */
const { zstdCompress, zstdDecompress } = zlib as unknown as Partial<
  Record<'zstdCompress' | 'zstdDecompress', typeof zlib.gzip>
>;

/** Undefined where this version of Node cannot write Zstandard. */
export const compressZstd: Codec | undefined = zstdCompress && promisify<Buffer, Buffer>(zstdCompress);

/** Decompresses one or several frames. Rejects when the input is damaged. */
export const decompressZstd: Codec = zstdDecompress
  ? promisify<Buffer, Buffer>(zstdDecompress)
  : async (compressed) => Buffer.from(fzstdPackage().decompress(compressed));
