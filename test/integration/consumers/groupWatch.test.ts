import { ConfigResourceTypes } from 'kafkajs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevBroker } from '../../../dev/broker/broker';
import { findFreePort } from '../../../dev/postgres/ports';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import type { GroupConsumerOptions } from '../../../src/kafka/groups/groupConsumerOptions';
import { longestRetentionMs } from '../../../src/kafka/topics/topicRetention';
import {
  createTopics,
  deleteTopics,
  kafkaBrokers,
  testKafka,
  uniqueName,
  withAdmin,
} from '../../support/kafka';
import { silentLogger } from '../../support/logger';
import { startTcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';

const made: string[] = [];
const consumers: GroupConsumer[] = [];

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
});
afterAll(() => deleteTopics(...made));

async function newTopic(partitions = 1): Promise<string> {
  const topic = uniqueName('group-watch');
  await createTopics({ topic, partitions });
  made.push(topic);
  return topic;
}

async function start(topic: string, options: Partial<GroupConsumerOptions>): Promise<GroupConsumer> {
  const consumer = new GroupConsumer({
    kafka: createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers(), KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      silentLogger(),
    ),
    group: uniqueName('group'),
    topics: [topic],
    handle: async () => ({ kind: 'done' }),
    logger: silentLogger(),
    fromBeginning: true,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 4,
    retryMaxMs: 300,
    ...options,
  });
  consumers.push(consumer);
  await consumer.start();
  return consumer;
}

async function send(topic: string, partition: number, ...values: string[]): Promise<void> {
  const producer = testKafka().producer();
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition })) });
  await producer.disconnect();
}

test('the lag of a partition grows while its consumer stands still', async () => {
  const topic = await newTopic();
  const lags: number[] = [];
  await send(topic, 0, 'stuck');
  await start(topic, {
    handle: async () => ({ kind: 'again', afterMs: 60_000 }),
    onLag: ({ lag }) => lags.push(lag),
  });
  await waitFor(() => lags.includes(1), { what: 'the first lag' });
  await send(topic, 0, 'second', 'third');
  await waitFor(() => lags.at(-1) === 3, { what: () => `the lag of three: ${lags.join(', ')}` });
});

test('messages of partitions that were added are read within seconds, from the first one on', async () => {
  const topic = await newTopic();
  const read: string[] = [];
  const consumer = await start(topic, {
    handle: async ({ value }) => {
      read.push(String(value));
      return { kind: 'done' };
    },
  });
  await send(topic, 0, 'old partition');
  await waitFor(() => read.length === 1, { what: 'the first message' });
  // The count that the watch compares with is the one of its first look.
  await waitFor(() => consumer.silentMs() > 0, { what: 'the watch' });
  await withAdmin((admin) => admin.createPartitions({ topicPartitions: [{ topic, count: 2 }] }));
  await send(topic, 1, 'new partition');
  await waitFor(() => read.includes('new partition'), {
    what: 'the message of the new partition',
    deadlineMs: 60_000,
  });
}, 120_000);

test('a broker that falls silent is noticed within some seconds, and so is that it answers again', async () => {
  const port = await findFreePort();
  const proxy = await startTcpProxy({ port });
  const dataDir = await mkdtemp(join(tmpdir(), 'signalbox-silent-'));
  const broker = await startDevBroker({ port, advertisedPort: proxy.port, dataDir, logger: silentLogger() });
  try {
    const kafka = createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: [proxy.address], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      silentLogger(),
    );
    const topic = uniqueName('silent');
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
    await admin.disconnect();
    let assigned = false;
    const consumer = await start(topic, {
      kafka,
      sessionTimeoutMs: 60_000,
      onAssigned: () => (assigned = true),
    });
    await waitFor(() => assigned, { what: 'the group' });
    proxy.pause();
    await waitFor(() => consumer.silentMs() > 13_000, {
      what: 'the silence to be noticed',
      deadlineMs: 30_000,
    });
    proxy.resume();
    await waitFor(() => consumer.silentMs() < 10_000, { what: 'an answer', deadlineMs: 30_000 });
  } finally {
    await consumers.pop()?.stop();
    await broker.stop();
    await proxy.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}, 120_000);

test('the inbox has to remember for as long as the topic that keeps its messages longest', async () => {
  const [short, long] = [await newTopic(), await newTopic()];
  const set = (topic: string, name: string, value: string): Promise<unknown> =>
    withAdmin((admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }],
      }),
    );
  await set(short, 'retention.ms', '1000');
  await set(long, 'retention.ms', '7200000');
  expect(await longestRetentionMs(testKafka(), [short, long])).toBe(7_200_000);
  await set(long, 'retention.ms', '-1');
  expect(await longestRetentionMs(testKafka(), [short, long])).toBe(Infinity);
  expect(await longestRetentionMs(testKafka(), ['no-such-topic'])).toBe(0);
});
