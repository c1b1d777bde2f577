/**
 * Writes the non-flexible encodings of the Kafka protocol. Large byte ranges (record batches) are kept as they are
 * and handed to the socket beside the written parts, not copied.
 */
export class Writer {
  private readonly done: Buffer[] = [];
  private doneBytes = 0;
  private buffer = Buffer.allocUnsafe(512);
  private start = 0;
  private position = 0;

  get size(): number {
    return this.doneBytes + this.position - this.start;
  }

  boolean(value: boolean): this {
    return this.int8(value ? 1 : 0);
  }

  int8(value: number): this {
    const at = this.reserve(1);
    this.buffer.writeInt8(value, at);
    return this;
  }

  int16(value: number): this {
    const at = this.reserve(2);
    this.buffer.writeInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.reserve(4);
    this.buffer.writeInt32BE(value, at);
    return this;
  }

  int64(value: number): this {
    const at = this.reserve(8);
    writeInt64(this.buffer, value, at);
    return this;
  }

  string(value: string | null): this {
    if (value === null) return this.int16(-1);
    const bytes = Buffer.byteLength(value);
    this.int16(bytes);
    const at = this.reserve(bytes);
    this.buffer.write(value, at);
    return this;
  }

  bytes(value: Buffer | null): this {
    return value === null ? this.int32(-1) : this.int32(value.length).raw(value);
  }

  array<T>(items: readonly T[] | null, item: (writer: this, value: T) => void): this {
    if (items === null) return this.int32(-1);
    this.int32(items.length);
    for (const value of items) item(this, value);
    return this;
  }

  /** Appends bytes as they are; the caller must not change them afterwards. */
  raw(value: Buffer): this {
    this.seal();
    this.done.push(value);
    this.doneBytes += value.length;
    return this;
  }

  /** What was written, in pieces that belong one behind the other. */
  chunks(): Buffer[] {
    this.seal();
    return this.done;
  }

  private reserve(bytes: number): number {
    if (this.position + bytes > this.buffer.length) {
      this.seal();
      this.buffer = Buffer.allocUnsafe(Math.max(4_096, bytes));
      this.start = 0;
      this.position = 0;
    }
    const at = this.position;
    this.position += bytes;
    return at;
  }

  private seal(): void {
    if (this.position === this.start) return;
    this.done.push(this.buffer.subarray(this.start, this.position));
    this.doneBytes += this.position - this.start;
    this.start = this.position;
  }
}

/** Writes a whole number as a signed 64-bit one. */
export function writeInt64(buffer: Buffer, value: number, position: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  buffer.writeInt32BE(high, position);
  buffer.writeUInt32BE(value - high * 0x1_0000_0000, position + 4);
}
