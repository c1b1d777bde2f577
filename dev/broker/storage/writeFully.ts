import { writeSync } from 'node:fs';

/**
 * Writes all of `bytes` at a position. When the disk is full or broken, part of them may be left behind: the caller
 * has not moved on, so the next write starts at the same position, and a checksum tells the rest from real content.
 */
export function writeFully(descriptor: number, bytes: Buffer, position: number): void {
  let written = 0;
  while (written < bytes.length) {
    written += writeSync(descriptor, bytes, written, bytes.length - written, position + written);
  }
}
