/** The relay's way to Kafka by itself, on a broker of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KafkaClient } from '../../../src/kafka/ports';
import { metadata } from '../../../dev/broker/apis/metadata';
import { produce } from '../../../dev/broker/apis/produce';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { Writer } from '../../../dev/broker/protocol/writer';
import { Identity } from '../../../dev/broker/storage/identity';
import { findFreePort } from '../../../dev/postgres/ports';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import type { OutgoingMessage } from '../../../src/kafka/messages/message';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { silentLogger } from '../../support/logger';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';
import { catalogue } from '../../../src/healthcore/catalogue';

let directory: string;
let broker: DevBroker;
let proxy: TcpProxy;
let kafka: KafkaClient;
let publisher: KafkaPublisher;
let producerIds: jest.SpyInstance;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-publisher-'));
  const port = await findFreePort();
  proxy = await startTcpProxy({ port });
  broker = await startDevBroker({
    port,
    advertisedPort: proxy.port,
    dataDir: directory,
    logger: silentLogger(),
  });
  producerIds = jest.spyOn(Identity.prototype, 'newProducerId');
  kafka = createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: [proxy.address], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
    silentLogger(),
  );
  publisher = new KafkaPublisher({
    catalogue,
    kafka,
    topics: {
      KAFKA_TOPIC_PREFIX: 'publisher',
      KAFKA_TOPIC_PARTITIONS: 3,
      KAFKA_REPLICATION_FACTOR: 1,
      KAFKA_TOPIC_RETENTION_MS: 3_600_000,
      KAFKA_CREATE_TOPICS: true,
    },
    compression: 'none',
    logger: silentLogger(),
  });
});

afterEach(async () => {
  jest.restoreAllMocks();
  await publisher.disconnect();
  await proxy.close();
  await broker.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

test('whoever asks while it connects waits for the same connection', async () => {
  await publisher.checkTopics();
  expect(await Promise.all([publisher.ready(), publisher.ready()])).toEqual([undefined, undefined]);
  expect(await publisher.ready()).toBeUndefined();
  expect(producerIds).toHaveBeenCalledTimes(1);
  await publisher.disconnect();
  await waitFor(() => proxy.connections() === 0, { what: 'all connections to be closed' });
});

test('a connection that failed, for all who waited for it, is tried again by the next', async () => {
  await publisher.checkTopics();
  proxy.refuse();
  const failures = await Promise.all([publisher.ready(), publisher.ready()]);
  expect(failures).toMatchObject([{ kind: 'retryable' }, { kind: 'retryable' }]);
  expect(publisher.connected).toBe(false);
  proxy.accept();
  expect(await publisher.ready()).toBeUndefined();
  expect(publisher.connected).toBe(true);
  expect(producerIds).toHaveBeenCalledTimes(1);
});

test('a connection that is being made when it is closed does not outlive that', async () => {
  const ready = publisher.ready();
  await waitFor(() => proxy.connections() > 0, { what: 'a connection' });
  await publisher.disconnect();
  await ready;
  await waitFor(() => proxy.connections() === 0, { what: 'all connections to be closed' });
  expect(publisher.connected).toBe(false);
});

const topic = 'publisher.patient.updated';
const messages = Array.from({ length: 60 }, (_, n): OutgoingMessage => {
  const value = Buffer.from(String(n));
  return { topic, key: `k${n}`, value, headers: {}, bytes: 100 };
});

/** What the topic's partitions hold, by partition. */
async function held(): Promise<number[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const offsets = await admin.fetchTopicOffsets(topic);
    return offsets.sort((a, b) => a.partition - b.partition).map(({ high }) => Number(high));
  } finally {
    await admin.disconnect();
  }
}

interface Leadership {
  readonly brokers: readonly { readonly node: number; readonly port: number }[];
  /** Partitions and their leaders. */
  readonly leaders: readonly (readonly [number, number])[];
}

/** Tells clients something else than what is true of the only broker. */
function pretend(told: () => Leadership): void {
  jest.spyOn(metadata, 'handle').mockImplementation((request) => {
    const names = request.nullableArray((reader) => reader.string()) ?? [topic];
    const { brokers, leaders } = told();
    return new Writer()
      .int32(0)
      .array(brokers, (writer, { node, port }) =>
        writer.int32(node).string('127.0.0.1').int32(port).string(null),
      )
      .string('pretended')
      .int32(1)
      .array(names, (writer, name) =>
        writer
          .int16(0)
          .string(name)
          .boolean(false)
          .array(leaders, (nested, [partition, leader]) => {
            nested.int16(0).int32(partition).int32(leader);
            for (const list of [[leader], [leader]]) nested.array(list, (one, node) => one.int32(node));
          }),
      );
  });
}

test('a leader that moves, between two tries, to a broker that has answered already leaves no message out', async () => {
  const other = await startDevBroker({
    port: 0,
    dataDir: join(directory, 'other'),
    logger: silentLogger(),
  });
  try {
    await publisher.checkTopics();
    const requests = jest.spyOn(produce, 'handle');
    const brokers = [
      { node: 1, port: proxy.port },
      { node: 2, port: other.port },
    ];
    // The other broker knows of no topic, and refuses.
    pretend(() => ({
      brokers,
      leaders: [
        [0, 1],
        [1, requests.mock.calls.length === 0 ? 2 : 1],
        [2, 1],
      ],
    }));
    const outcome = await publisher.send(messages);
    expect(requests).toHaveBeenCalledTimes(2);
    expect(outcome).toMatchObject({ kind: 'retryable', type: 'Unacknowledged' });
    expect(await publisher.send(messages)).toEqual({ kind: 'sent' });
    expect((await held())[1]).toBeGreaterThan(0);
  } finally {
    await publisher.disconnect();
    await other.stop();
  }
});

test('a partition that the metadata do not list leaves no message out', async () => {
  await publisher.checkTopics();
  pretend(() => ({
    brokers: [{ node: 1, port: proxy.port }],
    leaders: [
      [0, 1],
      [2, 1],
    ],
  }));
  expect(await publisher.send(messages)).toMatchObject({ kind: 'retryable', type: 'Unacknowledged' });
  jest.spyOn(metadata, 'handle').mockRestore();
  expect(await publisher.send(messages)).toEqual({ kind: 'sent' });
  expect((await held())[1]).toBeGreaterThan(0);
});
