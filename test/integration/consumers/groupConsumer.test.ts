import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { KafkaClient } from '../../../src/kafka/ports';
import { startDevBroker } from '../../../dev/broker/broker';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import type { GroupConsumerOptions } from '../../../src/kafka/groups/groupConsumerOptions';
import { findPositions } from '../../../src/kafka/groups/positions';
import type { ReceivedMessage } from '../../../src/kafka/messages/readMessage';
import { createTopics, deleteTopics, kafkaBrokers, uniqueName } from '../../support/kafka';
import { silentLogger } from '../../support/logger';
import { waitFor, within } from '../../support/waitFor';

const made: string[] = [];
const consumers: GroupConsumer[] = [];

afterEach(async () => {
  await Promise.all(consumers.splice(0).map((consumer) => consumer.stop()));
});

afterAll(() => deleteTopics(...made));

async function newTopic(partitions: number): Promise<string> {
  const topic = uniqueName('group-consumer');
  await createTopics({ topic, partitions });
  made.push(topic);
  return topic;
}

const clientOf = (brokers: string[]): KafkaClient =>
  createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: brokers, KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
    silentLogger(),
  );

async function start(
  topic: string,
  handle: GroupConsumerOptions['handle'],
  more: Partial<GroupConsumerOptions> = {},
): Promise<GroupConsumer> {
  const consumer = new GroupConsumer({
    kafka: clientOf(kafkaBrokers()),
    group: uniqueName('group'),
    topics: [topic],
    handle,
    logger: silentLogger(),
    fromBeginning: true,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 4,
    retryMaxMs: 300,
    ...more,
  });
  consumers.push(consumer);
  await consumer.start();
  return consumer;
}

async function send(
  topic: string,
  values: readonly string[],
  partition = 0,
  brokers = kafkaBrokers(),
): Promise<void> {
  const kafka = new Kafka({
    brokers,
    logLevel: logLevel.NOTHING,
    retry: { retries: 10, initialRetryTime: 50 },
  });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, messages: values.map((value) => ({ value, partition })) });
  await producer.disconnect();
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

const textOf = (message: ReceivedMessage): string => String(message.value);

test('a message that has to wait for an hour holds up neither other partitions nor the end', async () => {
  const topic = await newTopic(2);
  await send(topic, ['stuck', 'behind it']);
  const seen: string[] = [];
  const consumer = await start(topic, async (message) => {
    seen.push(textOf(message));
    return message.partition === 0 ? { kind: 'again', afterMs: 3_600_000 } : { kind: 'done' };
  });
  await waitFor(() => seen.includes('stuck'), { what: 'the stuck message' });
  for (const value of numbers(0, 5)) {
    await send(topic, [value], 1);
    await waitFor(() => seen.includes(value), { what: 'the other partition' });
  }
  expect(seen).toEqual(['stuck', ...numbers(0, 5)]);
  await within(consumer.stop(), { deadlineMs: 10_000, what: 'it to stop' });
});

test('a message that has to wait is offered again before those behind it', async () => {
  const topic = await newTopic(1);
  await send(topic, ['a', 'b', 'c']);
  const seen: string[] = [];
  await start(topic, async (message) => {
    seen.push(textOf(message));
    const again = textOf(message) === 'b' && seen.filter((value) => value === 'b').length < 3;
    return again ? { kind: 'again', afterMs: 10 } : { kind: 'done' };
  });
  await waitFor(() => seen.includes('c'), { what: 'the last message' });
  expect(seen).toEqual(['a', 'b', 'b', 'b', 'c']);
});

test('a handler that throws is asked again: the message is not skipped', async () => {
  const topic = await newTopic(1);
  await send(topic, ['a', 'b']);
  const seen: string[] = [];
  await start(topic, async (message) => {
    seen.push(textOf(message));
    if (seen.length === 1) throw new Error('a defect');
    return { kind: 'done' };
  });
  await waitFor(() => seen.includes('b'), { what: 'the last message' });
  expect(seen).toEqual(['a', 'a', 'b']);
});

test('start and stop bear any order and repetition', async () => {
  const topic = await newTopic(1);
  const seen: string[] = [];
  const consumer = await start(topic, async (message) => {
    seen.push(textOf(message));
    return { kind: 'done' };
  });
  await consumer.start();
  await consumer.stop();
  await consumer.stop();
  await consumer.start();
  await send(topic, ['after']);
  await waitFor(() => seen.includes('after'), { what: 'the message after the second start' });
});

describe('when the broker goes away and comes back', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-outage-'));
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test.each(['a member of a group', 'a reader that keeps its own place'])(
    '%s goes on where it was',
    async (kind) => {
      const options = { dataDir: directory, logger: silentLogger() };
      let broker = await startDevBroker({ ...options, port: 0 });
      const { address, port } = broker;
      const kafka = clientOf([address]);
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'outage' }] });
      await admin.disconnect();
      const own = kind !== 'a member of a group';
      const seen: string[] = [];
      const consumer = await start(
        'outage',
        async (message) => {
          seen.push(textOf(message));
          return { kind: 'done' };
        },
        {
          kafka,
          topics: ['outage'],
          ...(own ? { commit: false, positions: await findPositions(kafka, ['outage'], 'now') } : {}),
        },
      );
      await send('outage', numbers(0, 10), 0, [address]);
      await waitFor(() => seen.length === 10, { what: 'what came before the outage' });
      await broker.stop();
      await waitFor(() => consumer.status().state !== 'running', { what: 'the outage to be noticed' });
      broker = await startDevBroker({ ...options, port });
      await send('outage', numbers(10, 20), 0, [address]);
      await waitFor(() => seen.includes('19'), { what: 'what came after the outage', deadlineMs: 60_000 });
      // A commit may have been under way: a group repeats at most what it had not committed, in order.
      expect(own ? seen : [...new Set(seen)]).toEqual(numbers(0, 20));
      await consumer.stop();
      await broker.stop();
    },
  );
});
