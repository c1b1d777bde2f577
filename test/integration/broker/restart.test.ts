/** The clients of this project carry on when the dev broker is stopped and started again. */
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { makeBatch } from '../conformance/support/batches';
import { closeRawClients, connectRaw } from '../conformance/support/rawClient';
import { createTopics, fetch, produce } from '../conformance/support/requests';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';

let dataDir: string;
let broker: DevBroker;
let kafka: Kafka;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'signalbox-broker-'));
  broker = await start(0);
  kafka = new Kafka({
    brokers: [broker.address],
    logLevel: logLevel.NOTHING,
    retry: { retries: 20, initialRetryTime: 50, maxRetryTime: 500 },
  });
});
afterEach(async () => {
  await broker.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const start = (port: number): Promise<DevBroker> => startDevBroker({ port, dataDir, logger: silentLogger() });

async function restart(): Promise<void> {
  await broker.stop();
  broker = await start(broker.port);
}

it('topics, settings, offsets and groups are what they were', async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [
      { topic: 'kept', numPartitions: 2, configEntries: [{ name: 'retention.ms', value: '12345' }] },
      { topic: 'deleted', numPartitions: 1 },
    ],
  });
  await admin.createPartitions({ topicPartitions: [{ topic: 'kept', count: 3 }] });
  const producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic: 'kept', messages: ['a', 'b'].map((value) => ({ partition: 1, value })) });
  await producer.disconnect();
  await admin.fetchTopicOffsets('kept');
  await admin.deleteTopicRecords({ topic: 'kept', partitions: [{ partition: 1, offset: '1' }] });
  await admin.deleteTopics({ topics: ['deleted'] });
  await admin.setOffsets({ groupId: 'group', topic: 'kept', partitions: [{ partition: 1, offset: '2' }] });
  const { clusterId } = await admin.describeCluster();
  await admin.disconnect();

  await restart();

  const later = kafka.admin();
  await later.connect();
  expect(await later.listTopics()).toEqual(['kept']);
  expect(await later.fetchTopicOffsets('kept')).toContainEqual({
    partition: 1,
    offset: '2',
    high: '2',
    low: '1',
  });
  expect(await later.fetchTopicOffsets('kept')).toHaveLength(3);
  expect(await later.fetchOffsets({ groupId: 'group', topics: ['kept'] })).toMatchObject([
    { partitions: expect.arrayContaining([{ partition: 1, offset: '2', metadata: null }]) as unknown },
  ]);
  expect(await later.listGroups()).toEqual({ groups: [{ groupId: 'group', protocolType: 'consumer' }] });
  const { resources } = await later.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: ConfigResourceTypes.TOPIC, name: 'kept', configNames: ['retention.ms'] }],
  });
  expect(resources[0]?.configEntries).toMatchObject([{ configValue: '12345' }]);
  expect(await later.describeCluster()).toMatchObject({ clusterId });
  await later.disconnect();
});

it('producers and consumers that were running go on by themselves', async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'stream', numPartitions: 2 }] });
  await admin.disconnect();
  const producer = kafka.producer({ idempotent: true });
  await producer.connect();
  const send = (value: string) => producer.send({ topic: 'stream', messages: [{ key: value, value }] });
  const consumer = kafka.consumer({
    groupId: 'group',
    heartbeatInterval: 100,
    maxWaitTimeInMs: 100,
    retry: { retries: 50, initialRetryTime: 50, maxRetryTime: 200 },
  });
  const read: string[] = [];
  await consumer.connect();
  await consumer.subscribe({ topic: 'stream', fromBeginning: true });
  await consumer.run({
    autoCommitThreshold: 1,
    eachMessage: async ({ message }) => void read.push(String(message.value)),
  });
  const expected: string[] = [];
  for (let round = 0; round < 3; round += 1) {
    for (let index = 0; index < 10; index += 1) {
      const value = `${round}/${index}`;
      await send(value);
      expected.push(value);
    }
    await waitFor(() => expected.every((value) => read.includes(value)), { what: `round ${round}` });
    await restart();
  }
  await consumer.disconnect();
  await producer.disconnect();
  expect(new Set(read)).toEqual(new Set(expected));
});

it('a client that waits for records is not left hanging when the broker stops', async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'quiet' }] });
  const consumer = kafka.consumer({ groupId: 'group', maxWaitTimeInMs: 60_000, retry: { retries: 0 } });
  const crashed = new Promise((resolve) => consumer.on(consumer.events.CRASH, resolve));
  await consumer.connect();
  await consumer.subscribe({ topic: 'quiet' });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ eachMessage: async () => undefined });
  await joined;
  await broker.stop();
  await crashed;
  await consumer.disconnect();
  await admin.disconnect();
});

it('answers with an error code, and does not hang up, when its files were damaged under it', async () => {
  const client = await connectRaw(broker.address);
  await createTopics(client, [{ name: 'topic' }]);
  await produce(client, 'topic', makeBatch({ values: ['a'] }));
  const [id = ''] = await readdir(join(dataDir, 'topics'));
  await truncate(join(dataDir, 'topics', id, '0.log'));
  const [fetched] = await fetch(client, { partitions: [{ topic: 'topic', offset: 0 }] });
  const storageError = 56;
  expect(fetched).toMatchObject({ error: storageError });
  closeRawClients();
});
