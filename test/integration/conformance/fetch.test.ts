import { createTopics, uniqueName, withAdmin } from '../../support/kafka';
import { makeBatch, readBatches, type SeenBatch } from './support/batches';
import { deleteRecords } from './support/deleteRecords';
import { closeRawClients, connectRaw, type RawClient } from './support/rawClient';
import { errors, fetch, type FetchOptions, produce } from './support/requests';

let topic: string;
let reader: RawClient;
let writer: RawClient;
beforeEach(async () => {
  topic = uniqueName('fetch');
  await createTopics({ topic, partitions: 2 });
  [reader, writer] = await Promise.all([connectRaw(), connectRaw()]);
});
afterEach(closeRawClients);

const write = (value: string, partition = 0) =>
  produce(writer, topic, makeBatch({ values: [value] }), { partition });
const read = async (offset: number, options: Omit<FetchOptions, 'partitions'> = {}): Promise<SeenBatch[]> => {
  const [fetched] = await fetch(reader, { ...options, partitions: [{ topic, offset }] });
  return readBatches(fetched?.records ?? Buffer.alloc(0));
};
const offsetsOf = (batches: readonly SeenBatch[]): number[] => batches.map(({ baseOffset }) => baseOffset);

describe('long polling', () => {
  it('answers at once when there is something to read', async () => {
    await write('a');
    const started = Date.now();
    expect(offsetsOf(await read(0, { maxWaitMs: 20_000 }))).toEqual([0]);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('answers as soon as a record arrives', async () => {
    const started = Date.now();
    const waiting = read(0, { maxWaitMs: 20_000 });
    await write('a');
    expect(offsetsOf(await waiting)).toEqual([0]);
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('watches all partitions that were asked for', async () => {
    const partitions = [0, 1].map((partition) => ({ topic, partition, offset: 0 }));
    const waiting = fetch(reader, { partitions, maxWaitMs: 20_000 });
    await write('b', 1);
    const fetched = await waiting;
    expect(fetched.filter(({ records }) => records.length > 0).map(({ partition }) => partition)).toEqual([
      1,
    ]);
  });

  it('answers with nothing when the time is over', async () => {
    const started = Date.now();
    expect(await read(0, { maxWaitMs: 300 })).toEqual([]);
    expect(Date.now() - started).toBeGreaterThanOrEqual(290);
  });

  it('collects until minBytes are there', async () => {
    const { length } = makeBatch({ values: ['a'] });
    const waiting = read(0, { maxWaitMs: 20_000, minBytes: 2 * length + 1 });
    for (const value of ['a', 'b', 'c']) await write(value);
    expect(offsetsOf(await waiting)).toEqual([0, 1, 2]);
  });

  it('goes on when somebody else hangs up while waiting', async () => {
    const other = await connectRaw();
    const lost = fetch(other, { partitions: [{ topic, offset: 0 }], maxWaitMs: 20_000 });
    const waiting = read(0, { maxWaitMs: 20_000 });
    other.destroy();
    await expect(lost).rejects.toThrow('closed the connection');
    await write('a');
    expect(offsetsOf(await waiting)).toEqual([0]);
  });
});

describe('how much is read', () => {
  beforeEach(async () => {
    for (const value of ['a', 'b', 'c', 'd']) await write(value.repeat(100));
  });

  it('everything from the offset on, if it fits', async () => {
    expect(offsetsOf(await read(0))).toEqual([0, 1, 2, 3]);
    expect(offsetsOf(await read(2))).toEqual([2, 3]);
    expect(await read(4)).toEqual([]);
  });

  it('whole batches up to the limit of the partition', async () => {
    const { length } = makeBatch({ values: ['a'.repeat(100)] });
    const [fetched] = await fetch(reader, { partitions: [{ topic, offset: 1, maxBytes: 2 * length }] });
    expect(offsetsOf(readBatches(fetched?.records ?? Buffer.alloc(0)))).toEqual([1, 2]);
  });

  it('at least one batch, however small the limits are', async () => {
    const [fetched] = await fetch(reader, { partitions: [{ topic, offset: 1, maxBytes: 1 }], maxBytes: 1 });
    expect(offsetsOf(readBatches(fetched?.records ?? Buffer.alloc(0)))).toEqual([1]);
  });

  it('no more of all partitions together than the limit of the request', async () => {
    await write('e'.repeat(100), 1);
    const { length } = makeBatch({ values: ['a'.repeat(100)] });
    const partitions = [0, 1].map((partition) => ({ topic, partition, offset: 0 }));
    const fetched = await fetch(reader, { partitions, maxBytes: 4 * length });
    expect(fetched.map(({ records }) => readBatches(records).length)).toEqual([4, 0]);
  });

  it('the batch that holds the offset, also when it lies in its middle', async () => {
    await produce(writer, topic, makeBatch({ values: ['x', 'y', 'z'] }));
    expect(offsetsOf(await read(5))).toEqual([4]);
  });
});

describe('offsets that are not there', () => {
  it.each([-5, 2, 1_000_000])('%i is out of range where the log goes from 0 to 1', async (offset) => {
    await write('a');
    const started = Date.now();
    const [fetched] = await fetch(reader, { partitions: [{ topic, offset }], maxWaitMs: 20_000 });
    expect(fetched).toMatchObject({ error: errors.OFFSET_OUT_OF_RANGE });
    expect(Date.now() - started).toBeLessThan(10_000);
  });

  it('nor are those of unknown topics and partitions', async () => {
    const partitions = [
      { topic: uniqueName('missing'), offset: 0 },
      { topic, partition: 7, offset: 0 },
    ];
    const fetched = await fetch(reader, { partitions, maxWaitMs: 20_000 });
    expect(fetched.map(({ error }) => error)).toEqual([
      errors.UNKNOWN_TOPIC_OR_PARTITION,
      errors.UNKNOWN_TOPIC_OR_PARTITION,
    ]);
  });

  it('nor those before the records that were deleted', async () => {
    for (const value of ['a', 'b', 'c']) await write(value);
    await deleteRecords(topic, 2);
    const [gone] = await fetch(reader, { partitions: [{ topic, offset: 1 }] });
    expect(gone).toMatchObject({ error: errors.OFFSET_OUT_OF_RANGE });
    expect(offsetsOf(await read(2))).toEqual([2]);
    expect(await withAdmin((admin) => admin.fetchTopicOffsets(topic))).toContainEqual({
      partition: 0,
      offset: '3',
      high: '3',
      low: '2',
    });
  });
});

it('deletes all records up to the end, and none beyond it', async () => {
  for (const value of ['a', 'b']) await write(value);
  await expect(deleteRecords(topic, 3)).rejects.toThrow();
  await deleteRecords(topic, -1);
  expect(await withAdmin((admin) => admin.fetchTopicOffsets(topic))).toContainEqual({
    partition: 0,
    offset: '2',
    high: '2',
    low: '2',
  });
  expect(await write('c')).toEqual({ error: errors.NONE, baseOffset: 2 });
});
