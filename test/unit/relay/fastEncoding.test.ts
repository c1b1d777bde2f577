import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { encodeFast } from '../../../src/kafka/kafkajs/fastEncoding';

interface Request {
  encode(): Promise<{ buffer: Buffer }>;
}

type Message = Readonly<Record<'key' | 'value', string | Buffer | null> & { headers?: object }>;

// Inner files of kafkajs without types.
const produce = require('kafkajs/src/protocol/requests/produce/v7/request') as (options: object) => Request;
const Long = require('kafkajs/src/utils/long') as { fromValue(value: string): unknown };
const Encoder = require('kafkajs/src/protocol/encoder') as {
  new (): { writeVarLong(value: unknown): { buffer: Buffer } };
  sizeOfVarLong(value: unknown): number;
};

async function encode(messages: readonly Message[], gzip = false): Promise<string> {
  const request = produce({
    acks: -1,
    timeout: 1_000,
    producerId: Long.fromValue('123456789012'),
    producerEpoch: 3,
    compression: gzip ? 1 : 0,
    topicData: [{ topic: 'a.topic', partitions: [{ partition: 2, firstSequence: 70_000, messages }] }],
  });
  return (await request.encode()).buffer.toString('hex');
}

/** Every length around the borders of what is written by hand, in texts of one and of several bytes a character. */
const awkward = ['', 'a', '\u007f', 'é', 'a'.repeat(62) + 'é', '😀', '\u0000'].concat(
  [62, 63, 64, 65, 127, 128, 511, 512, 513, 70_000].map((length) => 'x'.repeat(length)),
);

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom(...awkward));
const bytes = fc.oneof(
  text,
  text.map((value) => Buffer.from(value)),
);
const orNull = fc.oneof(bytes, fc.constant(null));
const message = fc.record({
  key: orNull,
  value: orNull,
  headers: fc.dictionary(text, fc.oneof(bytes, fc.array(text, { maxLength: 3 })), { maxKeys: 5 }),
});

test('the fast encoding gives the same bytes as kafkajs itself', async () => {
  jest.useFakeTimers({ now: 1_700_000_000_000, doNotFake: ['nextTick', 'setImmediate'] });
  const samples = fc.sample(fc.array(message, { minLength: 1, maxLength: 20 }), {
    numRuns: 300,
    seed: 4_711,
  });
  samples.push(awkward.map((value) => ({ key: value, value, headers: { [value]: value } })));
  samples.push([{ key: null, value: randomBytes(200_000), headers: {} }]);
  const longs = [
    0,
    1,
    -1,
    63,
    64,
    2 ** 30 - 1,
    2 ** 30,
    2 ** 31,
    2 ** 40,
    Long.fromValue('9007199254740993'),
  ];
  const inLongs = (): unknown[] =>
    longs.map((value) => [
      Encoder.sizeOfVarLong(value),
      new Encoder().writeVarLong(value).buffer.toString('hex'),
    ]);
  const all = (): Promise<string[]> =>
    Promise.all([
      ...samples.map((each) => encode(each)),
      ...samples.slice(0, 20).map((each) => encode(each, true)),
    ]);

  const before = { messages: await all(), longs: inLongs() };
  encodeFast();
  expect(inLongs()).toEqual(before.longs);
  expect((await all()).findIndex((hex, index) => hex !== before.messages[index])).toBe(-1);
  // A second call must not wrap what is wrapped.
  encodeFast();
  expect((await all()).findIndex((hex, index) => hex !== before.messages[index])).toBe(-1);
  jest.useRealTimers();
});

test('it is the inside of kafkajs that changed: an encoder begins small', () => {
  encodeFast();
  expect((new Encoder() as unknown as { buf: Buffer }).buf.length).toBe(64);
});
