/** The relay's way to Kafka by itself, on a broker of its own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { Identity } from '../../../dev/broker/storage/identity';
import { findFreePort } from '../../../dev/postgres/ports';
import { createKafka } from '../../../src/kafka/client';
import { KafkaPublisher } from '../../../src/kafka/producer';
import { silentLogger } from '../../support/logger';
import { startTcpProxy, type TcpProxy } from '../../support/tcpProxy';
import { waitFor } from '../../support/waitFor';

let directory: string;
let broker: DevBroker;
let proxy: TcpProxy;
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
  publisher = new KafkaPublisher({
    kafka: createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: [proxy.address], KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      silentLogger(),
    ),
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
