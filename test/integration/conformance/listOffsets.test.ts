import { createTopics, uniqueName, withAdmin } from '../../support/kafka';
import { Writer } from '../../../dev/broker/protocol/writer';
import { makeBatch } from './support/batches';
import { deleteRecords } from './support/deleteRecords';
import { closeRawClients, connectRaw, type RawClient } from './support/rawClient';
import { errors, produce } from './support/requests';

let topic: string;
let client: RawClient;
beforeEach(async () => {
  topic = uniqueName('offsets');
  await createTopics({ topic });
  client = await connectRaw();
});
afterEach(closeRawClients);

interface Found {
  readonly error: number;
  readonly timestamp: number;
  readonly offset: number;
}

async function listOffsets(timestamp: number, name = topic, partition = 0): Promise<Found | undefined> {
  const body = new Writer()
    .int32(-1)
    .array([name], (writer, value) =>
      writer.string(value).array([timestamp], (nested, at) => nested.int32(partition).int64(at)),
    );
  const answer = await client.request(2, 1, body);
  const topics = answer.array((reader) => {
    reader.string();
    return reader.array((nested) => {
      nested.int32();
      return { error: nested.int16(), timestamp: nested.int64(), offset: nested.int64() };
    });
  });
  return topics[0]?.[0];
}

const at = (timestamp: number, offset: number): Found => ({ error: errors.NONE, timestamp, offset });
const [latest, earliest] = [-1, -2];

it('knows the first offset and the next one', async () => {
  expect(await listOffsets(latest)).toEqual(at(-1, 0));
  expect(await listOffsets(earliest)).toEqual(at(-1, 0));
  await produce(client, topic, makeBatch({ values: ['a', 'b'] }));
  expect(await listOffsets(latest)).toEqual(at(-1, 2));
  expect(await listOffsets(earliest)).toEqual(at(-1, 0));
});

it.each([false, true])('finds the first record that is not older (gzip: %s)', async (gzip) => {
  await produce(
    client,
    topic,
    makeBatch({ values: ['a', 'b', 'c'], timestamps: [1_000, 2_000, 3_000], gzip }),
  );
  await produce(client, topic, makeBatch({ values: ['d', 'e'], timestamps: [4_000, 5_000], gzip }));
  expect(await listOffsets(0)).toEqual(at(1_000, 0));
  expect(await listOffsets(1_000)).toEqual(at(1_000, 0));
  expect(await listOffsets(1_001)).toEqual(at(2_000, 1));
  expect(await listOffsets(3_500)).toEqual(at(4_000, 3));
  expect(await listOffsets(5_000)).toEqual(at(5_000, 4));
  expect(await listOffsets(5_001)).toEqual(at(-1, -1));
});

it('copes with timestamps that do not rise', async () => {
  await produce(client, topic, makeBatch({ values: ['a', 'b'], timestamps: [5_000, 1_000] }));
  await produce(client, topic, makeBatch({ values: ['c', 'd'], timestamps: [2_000, 9_000] }));
  expect(await listOffsets(1_500)).toEqual(at(5_000, 0));
  expect(await listOffsets(6_000)).toEqual(at(9_000, 3));
});

it('does not find records that were deleted', async () => {
  await produce(client, topic, makeBatch({ values: ['a', 'b', 'c'], timestamps: [1_000, 2_000, 3_000] }));
  await deleteRecords(topic, 1);
  expect(await listOffsets(earliest)).toEqual(at(-1, 1));
  expect(await listOffsets(500)).toEqual(at(2_000, 1));
});

it('answers for unknown topics and partitions with an error', async () => {
  const error = errors.UNKNOWN_TOPIC_OR_PARTITION;
  expect(await listOffsets(latest, uniqueName('missing'))).toMatchObject({ error });
  expect(await listOffsets(latest, topic, 5)).toMatchObject({ error });
});

it('serves kafkajs, which falls back to the end of the log', async () => {
  await produce(client, topic, makeBatch({ values: ['a', 'b'], timestamps: [1_000, 2_000] }));
  await withAdmin(async (admin) => {
    expect(await admin.fetchTopicOffsetsByTimestamp(topic, 1_500)).toEqual([{ partition: 0, offset: '1' }]);
    expect(await admin.fetchTopicOffsetsByTimestamp(topic, 9_999)).toEqual([{ partition: 0, offset: '2' }]);
  });
});
