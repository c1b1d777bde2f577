/** CRC-32C (Castagnoli), eight bytes a step ("slicing by eight"): Node has the other CRC-32 only. */
const tables = buildTables();

/** The checksum of `buffer` from `start` to `end`, as an unsigned 32-bit number. */
export function crc32c(buffer: Buffer, start = 0, end = buffer.length): number {
  let crc = -1;
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const low = crc ^ word(buffer, at);
    crc =
      entry(7, low) ^
      entry(6, low >>> 8) ^
      entry(5, low >>> 16) ^
      entry(4, low >>> 24) ^
      entry(3, buffer[at + 4] as number) ^
      entry(2, buffer[at + 5] as number) ^
      entry(1, buffer[at + 6] as number) ^
      entry(0, buffer[at + 7] as number);
  }
  for (; at < end; at += 1) crc = (crc >>> 8) ^ entry(0, crc ^ (buffer[at] as number));
  return ~crc >>> 0;
}

function word(buffer: Buffer, at: number): number {
  return (
    (buffer[at] as number) |
    ((buffer[at + 1] as number) << 8) |
    ((buffer[at + 2] as number) << 16) |
    ((buffer[at + 3] as number) << 24)
  );
}

function entry(table: number, byte: number): number {
  return tables[(table << 8) | (byte & 0xff)] as number;
}

function buildTables(): Int32Array {
  const built = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte += 1) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
    built[byte] = crc;
  }
  for (let index = 256; index < built.length; index += 1) {
    const shorter = built[index - 256] as number;
    built[index] = (shorter >>> 8) ^ (built[shorter & 0xff] as number);
  }
  return built;
}
