/*
 * kafkajs 2.2.4 encodes a record into a dozen small buffers: one for the record and one for each header, each of them
 * 512 bytes that are zeroed first, another for every number, and a Long for every time stamp. For the relay, whose
 * whole work is sending, that is the larger part of its time. What is put in the encoder's place here writes the same
 * bytes with fewer allocations: 64 bytes to begin with, which V8 keeps on its own heap, numbers and short texts
 * written where they belong.
 *
 * Only the inside of the encoder is touched: what the bytes mean stays kafkajs's business, and whatever is not a short
 * ASCII text or a small number takes kafkajs's own way. test/unit/relay/fastEncoding.test.ts compares both, byte for
 * byte; docs/benchmarks.md says what it is worth.
 */

interface Encoder {
  buf: Buffer;
  offset: number;
  readonly ensureAvailable: (length: number) => void;
  readonly writeVarInt: (value: number) => Encoder;
  readonly writeVarLong: Write;
  readonly writeVarIntString: Write;
  readonly writeVarIntBytes: Write;
}

type Write = (this: Encoder, value: unknown) => Encoder;

interface EncoderClass {
  readonly prototype: Encoder;
  nextPowerOfTwo: (value: number) => number;
  sizeOfVarInt: (value: number) => number;
  sizeOfVarLong: (value: unknown) => number;
}

// An inner file of kafkajs without types.
// eslint-disable-next-line typescript/no-require-imports
const Encoder = require('kafkajs/src/protocol/encoder') as EncoderClass;

/** What kafkajs asks for when it makes an encoder without saying how large. */
const defaultSize = 511;
/** The largest that V8 allocates on its own heap. */
const initialSize = 64;
/** With this many bytes at most, a zigzag length takes one byte. */
const shortLength = 63;
const smallNumber = 2 ** 30;

let done = false;

/** Makes this process's kafkajs encode with fewer allocations. May be called repeatedly. */
export function encodeFast(): void {
  if (done) return;
  done = true;
  const { nextPowerOfTwo, sizeOfVarLong } = Encoder;
  const { writeVarLong, writeVarIntString, writeVarIntBytes } = Encoder.prototype;

  Encoder.nextPowerOfTwo = (value) => (value === defaultSize ? initialSize : nextPowerOfTwo(value));
  Encoder.sizeOfVarLong = (value) =>
    isSmall(value) ? Encoder.sizeOfVarInt(value) : sizeOfVarLong.call(Encoder, value);

  Object.assign(Encoder.prototype, {
    /** Only what is below `offset` is ever read, so what is new need not be zeroed. */
    ensureAvailable(this: Encoder, length: number): void {
      if (this.offset + length <= this.buf.length) return;
      const larger = Buffer.allocUnsafe(nextPowerOfTwo(this.offset + length));
      this.buf.copy(larger, 0, 0, this.offset);
      this.buf = larger;
    },
    writeUVarInt(this: Encoder, value: number): Encoder {
      this.ensureAvailable(5);
      let rest = value;
      for (; (rest & ~0x7f) !== 0; rest >>>= 7) this.buf[this.offset++] = (rest & 0x7f) | 0x80;
      this.buf[this.offset++] = rest;
      return this;
    },
    writeVarLong(this: Encoder, value: unknown): Encoder {
      return isSmall(value) ? this.writeVarInt(value) : writeVarLong.call(this, value);
    },
    writeVarIntString(this: Encoder, value: unknown): Encoder {
      return writeShort(this, value) ? this : writeVarIntString.call(this, value);
    },
    writeVarIntBytes(this: Encoder, value: unknown): Encoder {
      return writeShort(this, value) ? this : writeVarIntBytes.call(this, value);
    },
    writeEncoderArray(this: Encoder, encoders: readonly Encoder[]): Encoder {
      let length = 0;
      for (const { offset } of encoders) length += offset;
      this.ensureAvailable(length);
      for (const { buf, offset } of encoders) {
        // Calling out to copy takes longer than copying a header by hand.
        if (offset > initialSize) buf.copy(this.buf, this.offset, 0, offset);
        else for (let index = 0; index < offset; index += 1) this.buf[this.offset + index] = buf[index] ?? 0;
        this.offset += offset;
      }
      return this;
    },
  });
}

function isSmall(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < smallNumber;
}

/** Writes a short ASCII text with its length before it; false, and nothing written, if it is something else. */
function writeShort(encoder: Encoder, value: unknown): boolean {
  if (typeof value !== 'string' || value.length > shortLength) return false;
  encoder.ensureAvailable(value.length + 1);
  const { buf, offset } = encoder;
  for (let index = 0; index < value.length; index += 1) {
    const code = value.charCodeAt(index);
    if (code > 0x7f) return false;
    buf[offset + 1 + index] = code;
  }
  buf[offset] = value.length << 1;
  encoder.offset = offset + 1 + value.length;
  return true;
}
