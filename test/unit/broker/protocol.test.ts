import fc from 'fast-check';
import { crc32c } from '../../../dev/broker/protocol/crc32c';
import { MalformedRequestError, Reader } from '../../../dev/broker/protocol/reader';
import { Writer } from '../../../dev/broker/protocol/writer';
import { FrameSplitter } from '../../../dev/broker/server/frames';

const written = (writer: Writer): Reader => new Reader(Buffer.concat(writer.chunks()));

describe('CRC-32C', () => {
  it.each([
    ['', 0],
    ['123456789', 0xe3069283],
    ['\0'.repeat(32), 0x8a9136aa],
    ['The quick brown fox jumps over the lazy dog', 0x22620404],
  ])('of %j', (text, expected) => {
    expect(crc32c(Buffer.from(text))).toBe(expected);
  });

  it('does not depend on where in a buffer the bytes lie', () => {
    const text = Buffer.from('The quick brown fox jumps over the lazy dog');
    for (let shift = 0; shift < 9; shift += 1) {
      const padded = Buffer.concat([Buffer.alloc(shift, 1), text, Buffer.alloc(3, 2)]);
      expect(crc32c(padded, shift, shift + text.length)).toBe(0x22620404);
    }
  });
});

describe('reader and writer', () => {
  it('agree on all kinds of values', () => {
    const safe = fc.maxSafeInteger();
    fc.assert(
      fc.property(
        safe,
        fc.option(fc.string()),
        fc.option(fc.uint8Array()),
        fc.array(safe),
        (n, text, raw, list) => {
          const bytes = raw === null ? null : Buffer.from(raw);
          const writer = new Writer().int64(n).string(text).bytes(bytes).int8(-3).int16(-300).boolean(true);
          const reader = written(writer.array(list, (nested, item) => nested.int64(item)).int32(-70_000));
          expect(reader.int64()).toBe(n);
          expect(reader.nullableString()).toBe(text);
          expect(reader.nullableBytes()).toEqual(bytes);
          expect([reader.int8(), reader.int16(), reader.boolean()]).toEqual([-3, -300, true]);
          expect(reader.array((nested) => nested.int64())).toEqual(list);
          expect([reader.int32(), reader.remaining]).toEqual([-70_000, 0]);
        },
      ),
    );
  });

  it('count what was written, across many pieces', () => {
    const writer = new Writer();
    for (let index = 0; index < 3_000; index += 1) writer.int32(index).string('x'.repeat(index % 50));
    expect(Buffer.concat(writer.chunks())).toHaveLength(writer.size);
  });

  it.each([
    ['a number', (reader: Reader) => reader.int64()],
    ['a string', (reader: Reader) => reader.string()],
    ['bytes', (reader: Reader) => reader.bytes()],
    ['a list', (reader: Reader) => reader.array((item) => item.int8())],
  ])('refuse %s that goes beyond the end', (_, read) => {
    expect(() => read(new Reader(Buffer.from([0x7f, 0xff, 0xff, 0xff, 1])))).toThrow(MalformedRequestError);
  });

  it('refuse null where something must be', () => {
    expect(() => written(new Writer().string(null)).string()).toThrow(MalformedRequestError);
    expect(() => written(new Writer().bytes(null)).bytes()).toThrow(MalformedRequestError);
  });

  it('cut numbers that do not fit, instead of writing something else', () => {
    const largest = Buffer.from('7fffffffffffffff', 'hex');
    const cut = new Reader(largest).int64();
    expect(cut).toBe(Number.MAX_SAFE_INTEGER);
    expect(written(new Writer().int64(cut)).int64()).toBe(cut);
  });
});

describe('frames', () => {
  const frame = (text: string): Buffer => Buffer.concat(new Writer().bytes(Buffer.from(text)).chunks());

  it('are found again however they are cut', () => {
    const texts = ['a', '', 'hello', 'x'.repeat(1_000)];
    const stream = Buffer.concat(texts.map(frame));
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length)), (cuts) => {
        const splitter = new FrameSplitter(10_000);
        const edges = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
        const frames = edges.flatMap((edge, index) => splitter.push(stream.subarray(edge, edges[index + 1])));
        expect(frames.map(String)).toEqual(texts);
      }),
    );
  });

  it('that are too large are refused at once', () => {
    const splitter = new FrameSplitter(10);
    expect(() => splitter.push(frame('x'.repeat(11)).subarray(0, 4))).toThrow(MalformedRequestError);
  });
});
