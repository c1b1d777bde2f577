/** The request does not follow the protocol: the connection that sent it is closed. */
export class MalformedRequestError extends Error {
  override readonly name = 'MalformedRequestError';
}

/**
 * Reads the non-flexible encodings of the Kafka protocol from a buffer, front to back. Numbers of 64 bits come as
 * plain numbers, cut to ±2^53: no offset or timestamp of a development machine gets there.
 * @throws MalformedRequestError on reading past the end.
 */
export class Reader {
  private position = 0;

  constructor(private readonly buffer: Buffer) {}

  get remaining(): number {
    return this.buffer.length - this.position;
  }

  boolean(): boolean {
    return this.int8() !== 0;
  }

  int8(): number {
    return this.buffer.readInt8(this.advance(1));
  }

  int16(): number {
    return this.buffer.readInt16BE(this.advance(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.advance(4));
  }

  int64(): number {
    return readInt64(this.buffer, this.advance(8));
  }

  string(): string {
    return this.nullableString() ?? fail('a string is null that must not be');
  }

  nullableString(): string | null {
    const length = this.int16();
    if (length < 0) return null;
    const start = this.advance(length);
    return this.buffer.toString('utf8', start, start + length);
  }

  /** A view, not a copy. */
  nullableBytes(): Buffer | null {
    const length = this.int32();
    if (length < 0) return null;
    const start = this.advance(length);
    return this.buffer.subarray(start, start + length);
  }

  bytes(): Buffer {
    return this.nullableBytes() ?? fail('bytes are null that must not be');
  }

  array<T>(item: (reader: Reader) => T): T[] {
    return this.nullableArray(item) ?? [];
  }

  nullableArray<T>(item: (reader: Reader) => T): T[] | null {
    const length = this.int32();
    if (length < 0) return null;
    // Every item takes a byte at least: a count that can't be true must not allocate memory.
    if (length > this.remaining) fail(`an array claims ${length} items in ${this.remaining} bytes`);
    return Array.from({ length }, () => item(this));
  }

  private advance(bytes: number): number {
    const start = this.position;
    if (bytes > this.remaining) fail(`${bytes} bytes expected where ${this.remaining} are left`);
    this.position += bytes;
    return start;
  }
}

/** A signed 64-bit number; several times as fast as by way of a BigInt. */
export function readInt64(buffer: Buffer, position: number): number {
  const value = buffer.readInt32BE(position) * 0x1_0000_0000 + buffer.readUInt32BE(position + 4);
  return Math.max(Math.min(value, Number.MAX_SAFE_INTEGER), Number.MIN_SAFE_INTEGER);
}

function fail(why: string): never {
  throw new MalformedRequestError(why);
}
