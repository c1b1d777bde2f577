/**
 * Whole produce requests as they go over the wire, many at once, encoded by the relay's kafkajs and by one of its own
 * that nothing was put into: both give the same bytes, and what kafkajs reads out of them is what went in.
 *
 * `SEED=… npx jest test/unit/relay/fastEncodingRandom.test.ts` repeats a run.
 */
import { createHash, randomFillSync } from 'node:crypto';
import { isIntact, readHeader } from '../../../dev/broker/protocol/recordBatch';
import { encodeFast } from '../../../src/kafka/kafkajs/fastEncoding';
import { generator } from '../../support/generator';

type Bytes = string | Buffer;

interface Message {
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  readonly headers?: Readonly<Record<string, Bytes | Bytes[]>>;
  readonly timestamp?: string;
}

interface Partition {
  readonly partition: number;
  readonly firstSequence: number;
  readonly messages: readonly Message[];
}

interface Topic {
  readonly topic: string;
  readonly partitions: readonly Partition[];
}

interface Sent {
  readonly correlationId: number;
  readonly compression: number;
  readonly topicData: readonly Topic[];
}

interface Decoder {
  readInt16(): number;
  readInt32(): number;
  readString(): string | null;
  readBytes(): Buffer;
  readArray<T>(read: (decoder: Decoder) => T): T[];
}

interface Batch {
  readonly producerId: string;
  readonly firstSequence: number;
  readonly records: {
    readonly offset: string;
    readonly timestamp: string;
    readonly key: Buffer | null;
    readonly value: Buffer | null;
    readonly headers: Readonly<Record<string, Buffer | Buffer[]>>;
  }[];
}

/** Inner parts of kafkajs, without types. */
interface Inside {
  readonly produce: (options: object) => object;
  readonly frame: (options: object) => Promise<{ buffer: Buffer }>;
  readonly Decoder: new (buffer: Buffer) => Decoder;
  readonly readBatch: (decoder: Decoder) => Promise<Batch>;
  readonly fromValue: (value: string) => unknown;
}

function inside(): Inside {
  const { fromValue } = require('kafkajs/src/utils/long') as Pick<Inside, 'fromValue'>;
  return {
    produce: require('kafkajs/src/protocol/requests/produce/v7/request') as Inside['produce'],
    frame: require('kafkajs/src/protocol/request') as Inside['frame'],
    Decoder: require('kafkajs/src/protocol/decoder') as Inside['Decoder'],
    readBatch: require('kafkajs/src/protocol/recordBatch/v0/decoder') as Inside['readBatch'],
    fromValue: fromValue.bind(require('kafkajs/src/utils/long')),
  };
}

const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const random = generator(seed);
const upTo = (most: number): number => Math.floor(random() * (most + 1));
const chance = (probability: number): boolean => random() < probability;
const oneOf = <T>(list: readonly [T, ...T[]]): T => list[upTo(list.length - 1)] ?? list[0];

const now = 1_700_000_000_000;
const producerId = '123456789012';
/** Around what is written by hand, what V8 keeps on its heap, what Node takes from its pool, and powers of two. */
const borders = [0, 1, 62, 63, 64, 65, 127, 128, 511, 512, 513, 4_095, 4_096, 4_097, 8_192, 65_536] as const;

function size(): number {
  if (chance(0.003)) return upTo(2_000_000);
  return chance(0.5) ? oneOf([...borders]) : upTo(oneOf([10, 200, 3_000]));
}

function bytes(length: number): Bytes {
  if (chance(0.4)) return randomFillSync(Buffer.alloc(length));
  // Characters of one to four bytes.
  return oneOf(['x', 'x', 'é', '€', '😀']).repeat(length);
}

function headers(): NonNullable<Message['headers']> {
  const count = chance(0.02) ? 300 : upTo(8);
  const small = (): Bytes => bytes(oneOf([0, 1, 20, 62, 63, 64, 65, 300]));
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => [
      `${index}${'h'.repeat(upTo(70))}`,
      chance(0.1) ? [small(), small()] : small(),
    ]),
  );
}

function message(): Message {
  return {
    key: chance(0.1) ? null : bytes(chance(0.9) ? upTo(70) : size()),
    value: chance(0.1) ? null : bytes(size()),
    ...(chance(0.9) ? { headers: headers() } : {}),
    ...(chance(0.05) ? { timestamp: String(now - upTo(10 ** oneOf([2, 6, 12]))) } : {}),
  };
}

function request(correlationId: number): Sent {
  const partitions = (): Partition[] =>
    Array.from({ length: 1 + upTo(3) }, (_, partition) => ({
      partition,
      firstSequence: upTo(2 ** 31 - 1),
      messages: Array.from({ length: 1 + upTo(oneOf([0, 5, 40])) }, message),
    }));
  const topicData = Array.from({ length: 1 + upTo(3) }, (_, index) => ({
    topic: `${'t'.repeat(1 + upTo(60))}.${index}`,
    partitions: partitions(),
  }));
  return { correlationId, compression: chance(0.3) ? 1 : 0, topicData };
}

async function encode({ produce, frame, fromValue }: Inside, sent: Sent): Promise<Buffer> {
  const { correlationId, ...rest } = sent;
  const options = { acks: -1, timeout: 1_000, producerEpoch: 3, producerId: fromValue(producerId), ...rest };
  return (await frame({ correlationId, clientId: 'relay', request: produce(options) })).buffer;
}

/** What kafkajs reads out of a request, in the form in which it went in. */
async function decode({ Decoder, readBatch }: Inside, framed: Buffer): Promise<unknown> {
  const decoder = new Decoder(framed);
  expect(decoder.readInt32()).toBe(framed.length - 4);
  expect([decoder.readInt16(), decoder.readInt16()]).toEqual([0, 7]);
  const correlationId = decoder.readInt32();
  expect([decoder.readString(), decoder.readString()]).toEqual(['relay', null]);
  expect([decoder.readInt16(), decoder.readInt32()]).toEqual([-1, 1_000]);
  const topics = decoder.readArray((each) => ({
    topic: each.readString(),
    partitions: each.readArray((one) => ({ partition: one.readInt32(), batch: one.readBytes() })),
  }));
  const read = async ({ partition, batch }: { partition: number; batch: Buffer }): Promise<unknown> => {
    const header = readHeader(batch);
    expect(header && { size: header.size, intact: isIntact(batch, header) }).toEqual({
      size: batch.length,
      intact: true,
    });
    const { firstSequence, records, ...rest } = await readBatch(new Decoder(batch));
    expect(rest.producerId).toBe(producerId);
    expect(records.map(({ offset }) => Number(offset))).toEqual([...records.keys()]);
    return { partition, firstSequence, messages: records.map(fingerprint) };
  };
  const topicData = [];
  for (const { topic, partitions } of topics) {
    topicData.push({ topic, partitions: await Promise.all(partitions.map(read)) });
  }
  return { correlationId, topicData };
}

/** Comparable whether it was text or bytes. */
function digest(value: Bytes | null): string | null {
  return value === null
    ? null
    : `${Buffer.byteLength(value)} ${createHash('sha1').update(value).digest('hex')}`;
}

function fingerprint({ key, value, headers = {}, timestamp = String(now) }: Message): unknown {
  const list = Object.entries(headers).map(([name, given]) => [name, [given].flat().map(digest)]);
  return { key: digest(key), value: digest(value), timestamp, headers: list };
}

const asRead = ({ correlationId, topicData }: Sent): unknown => ({
  correlationId,
  topicData: topicData.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ messages, ...rest }) => ({ ...rest, messages: messages.map(fingerprint) })),
  })),
});

afterEach(() => {
  jest.restoreAllMocks();
});

test('many requests at once are encoded as kafkajs itself does it, and read as what went in', async () => {
  process.stdout.write(`randomized encoding test: SEED=${seed}\n`);
  jest.spyOn(Date, 'now').mockReturnValue(now);
  let untouched: Inside | undefined;
  jest.isolateModules(() => (untouched = inside()));
  if (!untouched) throw new Error('There is no kafkajs of its own');
  encodeFast();
  const fast = inside();
  for (let round = 0; round < 3; round += 1) {
    const sent = Array.from({ length: 10 }, (_, index) => request(round * 100 + index));
    // Each one twice, as a retry does; those that are compressed let the others pass.
    const encoded = await Promise.all([...sent, ...sent].map((each) => encode(fast, each)));
    for (const [index, buffer] of encoded.entries()) {
      const each = sent[index % sent.length];
      if (!each) throw new Error('There is nothing to compare with');
      expect({ request: index, same: buffer.equals(await encode(untouched, each)) }).toEqual({
        request: index,
        same: true,
      });
      // As text: comparing thousands of objects takes longer than all of the encoding.
      expect(JSON.stringify(await decode(untouched, buffer))).toBe(JSON.stringify(asRead(each)));
    }
  }
});
