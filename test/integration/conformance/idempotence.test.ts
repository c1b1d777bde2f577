import { createTopics, readAll, testKafka, uniqueName } from '../../support/kafka';
import { makeBatch } from './support/batches';
import { closeRawClients, connectRaw, type RawClient } from './support/rawClient';
import { errors, newProducerId, produce, type Produced } from './support/requests';

let topic: string;
let client: RawClient;
let producerId: number;
let epoch: number;
beforeEach(async () => {
  topic = uniqueName('idempotence');
  await createTopics({ topic, partitions: 2 });
  client = await connectRaw();
  ({ producerId, epoch } = await newProducerId(client));
});
afterEach(closeRawClients);

const send = (sequence: number, values: string[], options: { epoch?: number; partition?: number } = {}) =>
  produce(client, topic, makeBatch({ values, producerId, epoch, sequence, ...options }), options);
const written = (baseOffset: number): Produced => ({ error: errors.NONE, baseOffset });
const readValues = async (): Promise<(string | null)[]> => (await readAll(topic)).map(({ value }) => value);

it('gives every producer an id of its own', async () => {
  const ids = [producerId];
  for (let count = 0; count < 5; count += 1) ids.push((await newProducerId(client)).producerId);
  expect(new Set(ids).size).toBe(6);
  expect(epoch).toBe(0);
});

it('writes a batch that comes again once, and answers with the same offset', async () => {
  expect(await send(0, ['a', 'b'])).toEqual(written(0));
  expect(await send(2, ['c'])).toEqual(written(2));
  expect(await send(2, ['c'])).toEqual(written(2));
  expect(await send(0, ['a', 'b'])).toEqual(written(0));
  expect(await send(3, ['d'])).toEqual(written(3));
  expect(await readValues()).toEqual(['a', 'b', 'c', 'd']);
});

it('recognises a batch on another connection', async () => {
  expect(await send(0, ['a'])).toEqual(written(0));
  client = await connectRaw();
  expect(await send(0, ['a'])).toEqual(written(0));
  expect(await readValues()).toEqual(['a']);
});

it('recognises the last five batches', async () => {
  for (let sequence = 0; sequence < 6; sequence += 1) await send(sequence, [String(sequence)]);
  for (let sequence = 1; sequence < 6; sequence += 1) {
    expect(await send(sequence, [String(sequence)])).toEqual(written(sequence));
  }
  expect(await send(0, ['0'])).toMatchObject({ error: errors.OUT_OF_ORDER_SEQUENCE_NUMBER });
  expect(await readValues()).toEqual(['0', '1', '2', '3', '4', '5']);
});

it('refuses a batch that leaves a gap, and takes the missing one', async () => {
  expect(await send(0, ['a'])).toEqual(written(0));
  expect(await send(2, ['c'])).toEqual({ error: errors.OUT_OF_ORDER_SEQUENCE_NUMBER, baseOffset: -1 });
  expect(await send(1, ['b'])).toEqual(written(1));
  expect(await send(2, ['c'])).toEqual(written(2));
  expect(await readValues()).toEqual(['a', 'b', 'c']);
});

it('counts in each partition on its own', async () => {
  expect(await send(0, ['a'])).toEqual(written(0));
  expect(await send(0, ['b'], { partition: 1 })).toEqual(written(0));
  expect(await send(1, ['c'])).toEqual(written(1));
});

it('starts anew with a higher epoch and refuses the old one from then on', async () => {
  expect(await send(0, ['a'])).toEqual(written(0));
  expect(await send(1, ['b'], { epoch: 1 })).toMatchObject({ error: errors.OUT_OF_ORDER_SEQUENCE_NUMBER });
  expect(await send(0, ['b'], { epoch: 1 })).toEqual(written(1));
  expect(await send(1, ['c'])).toMatchObject({ error: errors.INVALID_PRODUCER_EPOCH });
  expect(await readValues()).toEqual(['a', 'b']);
});

it('lets the sequence wrap round', async () => {
  const last = 2 ** 31 - 1;
  expect(await send(last - 1, ['a', 'b'])).toEqual(written(0));
  expect(await send(0, ['c'])).toEqual(written(2));
  expect(await send(0, ['c'])).toEqual(written(2));
});

it('does not deduplicate for producers that are not idempotent', async () => {
  const batch = (): Buffer => makeBatch({ values: ['a'] });
  expect(await produce(client, topic, batch())).toEqual(written(0));
  expect(await produce(client, topic, batch())).toEqual(written(1));
});

it('serves an idempotent producer of kafkajs', async () => {
  const producer = testKafka().producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (let index = 0; index < 20; index += 1) {
    await producer.send({ topic, messages: [{ partition: 0, value: String(index) }] });
  }
  await producer.disconnect();
  expect(await readValues()).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
});
