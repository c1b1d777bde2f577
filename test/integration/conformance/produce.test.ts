import { CompressionTypes } from 'kafkajs';
import { createTopics, readAll, testKafka, uniqueName, withAdmin } from '../../support/kafka';
import { makeBatch, readBatches } from './support/batches';
import { closeRawClients, connectRaw, type RawClient } from './support/rawClient';
import { errors, fetch, produce } from './support/requests';

let topic: string;
let client: RawClient;
beforeEach(async () => {
  topic = uniqueName('produce');
  await createTopics({ topic, partitions: 2 });
  client = await connectRaw();
});
afterEach(closeRawClients);

describe('records come back as they were sent', () => {
  it.each([
    ['plain', CompressionTypes.None],
    ['compressed with gzip', CompressionTypes.GZIP],
  ])('%s', async (_, compression) => {
    const producer = testKafka().producer();
    await producer.connect();
    const [result] = await producer.send({
      topic,
      compression,
      messages: [
        { partition: 1, key: 'key', value: 'wörd', headers: { a: '1', b: '' }, timestamp: '1700000000001' },
        { partition: 1, key: null, value: '', timestamp: '1700000000002' },
        { partition: 1, key: '', value: null, timestamp: '1700000000000' },
      ],
    });
    await producer.disconnect();
    expect(result).toMatchObject({ topicName: topic, partition: 1, errorCode: 0, baseOffset: '0' });
    const common = { topic, partition: 1 };
    expect(await readAll(topic)).toEqual([
      {
        ...common,
        offset: '0',
        timestamp: '1700000000001',
        key: 'key',
        value: 'wörd',
        headers: { a: '1', b: '' },
      },
      { ...common, offset: '1', timestamp: '1700000000002', key: null, value: '', headers: {} },
      { ...common, offset: '2', timestamp: '1700000000000', key: '', value: null, headers: {} },
    ]);
  });

  it('to several topics and partitions in one request', async () => {
    const other = uniqueName('produce');
    await createTopics({ topic: other });
    const producer = testKafka().producer({ idempotent: true });
    await producer.connect();
    const results = await producer.sendBatch({
      topicMessages: [
        {
          topic,
          messages: [
            { partition: 0, value: 'a' },
            { partition: 1, value: 'b' },
          ],
        },
        { topic: other, messages: [{ partition: 0, value: 'c' }] },
      ],
    });
    await producer.disconnect();
    expect(results.map(({ errorCode, baseOffset }) => [errorCode, baseOffset])).toEqual([
      [0, '0'],
      [0, '0'],
      [0, '0'],
    ]);
    const read = (await readAll(topic)).map(({ partition, value }) => `${partition}: ${value}`);
    expect(read.toSorted()).toEqual(['0: a', '1: b']);
    expect((await readAll(other)).map(({ value }) => value)).toEqual(['c']);
  });
});

describe('offsets', () => {
  it('count on from batch to batch, in each partition on its own', async () => {
    expect(await produce(client, topic, makeBatch({ values: ['a', 'b', 'c'] }))).toEqual({
      error: errors.NONE,
      baseOffset: 0,
    });
    expect(await produce(client, topic, makeBatch({ values: ['d'] }))).toMatchObject({ baseOffset: 3 });
    expect(await produce(client, topic, makeBatch({ values: ['e'] }), { partition: 1 })).toMatchObject({
      baseOffset: 0,
    });
    const [fetched] = await fetch(client, { partitions: [{ topic, offset: 0 }] });
    expect(readBatches(fetched?.records ?? Buffer.alloc(0))).toMatchObject([
      { baseOffset: 0, recordCount: 3 },
      { baseOffset: 3, recordCount: 1 },
    ]);
  });
});

describe('acks', () => {
  it.each([1, -1])('%i: the record is there when the answer comes', async (acks) => {
    expect(await produce(client, topic, makeBatch({ values: ['a'] }), { acks })).toMatchObject({ error: 0 });
    const [fetched] = await fetch(client, { partitions: [{ topic, offset: 0 }] });
    expect(fetched).toMatchObject({ highWatermark: 1 });
  });

  it('0: no answer, and the connection goes on', async () => {
    const producer = testKafka().producer();
    await producer.connect();
    await producer.send({ topic, acks: 0, messages: [{ partition: 0, value: 'a' }] });
    await producer.send({ topic, acks: 1, messages: [{ partition: 0, value: 'b' }] });
    await producer.disconnect();
    expect((await readAll(topic)).map(({ value }) => value)).toEqual(['a', 'b']);
  });

  it('any other number is refused', async () => {
    expect(await produce(client, topic, makeBatch({ values: ['a'] }), { acks: 5 })).toMatchObject({
      error: errors.INVALID_REQUIRED_ACKS,
    });
  });
});

describe('what is refused', () => {
  it('a batch for a topic or partition that does not exist', async () => {
    const batch = makeBatch({ values: ['a'] });
    const error = errors.UNKNOWN_TOPIC_OR_PARTITION;
    expect(await produce(client, uniqueName('missing'), batch)).toEqual({ error, baseOffset: -1 });
    expect(await produce(client, topic, batch, { partition: 2 })).toEqual({ error, baseOffset: -1 });
  });

  it('a batch larger than max.message.bytes, to the byte', async () => {
    const batch = makeBatch({ values: ['x'.repeat(500)] });
    const [fits, tooSmall] = [uniqueName('produce'), uniqueName('produce')];
    const withLimit = (name: string, bytes: number) => ({
      topic: name,
      configEntries: [{ name: 'max.message.bytes', value: String(bytes) }],
    });
    await withAdmin((admin) =>
      admin.createTopics({
        topics: [withLimit(fits, batch.length), withLimit(tooSmall, batch.length - 1)],
      }),
    );
    expect(await produce(client, fits, batch)).toEqual({ error: errors.NONE, baseOffset: 0 });
    expect(await produce(client, tooSmall, batch)).toEqual({
      error: errors.MESSAGE_TOO_LARGE,
      baseOffset: -1,
    });
  });

  it('a message of more than a megabyte, by default', async () => {
    const producer = testKafka().producer({ retry: { retries: 0 } });
    await producer.connect();
    const value = 'x'.repeat(1_048_588);
    await expect(producer.send({ topic, messages: [{ value }] })).rejects.toMatchObject({
      type: 'MESSAGE_TOO_LARGE',
    });
    await producer.disconnect();
  });

  it('a batch that was damaged on its way', async () => {
    const batch = makeBatch({ values: ['hello'] });
    batch.writeUInt8(batch.readUInt8(batch.length - 2) ^ 1, batch.length - 2);
    expect(await produce(client, topic, batch)).toEqual({ error: errors.CORRUPT_MESSAGE, baseOffset: -1 });
  });

  it('two batches for one partition in one request', async () => {
    const two = Buffer.concat([makeBatch({ values: ['a'] }), makeBatch({ values: ['b'] })]);
    expect(await produce(client, topic, two)).toEqual({ error: errors.INVALID_RECORD, baseOffset: -1 });
  });

  it('a batch whose producer gives out offsets itself', async () => {
    const batch = makeBatch({ values: ['a'] });
    batch.writeBigInt64BE(77n, 0);
    expect(await produce(client, topic, batch)).toEqual({ error: errors.INVALID_RECORD, baseOffset: -1 });
  });

  it('nothing at all, and a batch without records', async () => {
    expect(await produce(client, topic, Buffer.alloc(0))).toMatchObject({ error: errors.INVALID_RECORD });
    expect(await produce(client, topic, makeBatch({ values: [], timestamps: [0] }))).toMatchObject({
      error: errors.INVALID_RECORD,
    });
  });

  afterEach(async () => {
    const offsets = await withAdmin((admin) => admin.fetchTopicOffsets(topic));
    expect(offsets.map(({ high }) => high)).toEqual(['0', '0']);
  });
});
