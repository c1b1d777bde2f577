/**
 * A relay and a consumer on a Kafka whose ACLs and policy refuse single topics: the same as relay/topicTroubles and
 * consumers/topicTroubles, by the real thing. It runs in the suite that is for real Kafka (`npm run test:kafka`) only.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  type Admin,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import { Registry } from 'prom-client';
import type { KafkaClient } from '../../../src/kafka/ports';
import { type GuardedKafka, startGuardedKafka } from '../../../dev/kafka/guarded';
import { registerProcess } from '../../../dev/kafka/watchman';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics } from '../../../src/relay/metrics';
import { Relay } from '../../../src/relay/relay';
import { createTestDatabase } from '../../support/database';
import { fromSetup, variables } from '../../support/environment';
import { captureLogger, silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { append, poolOf } from '../relay/harness';
import { catalogue } from '../../../src/healthcore/catalogue';

jest.setTimeout(240_000);

const onRealKafka = process.env['SIGNALBOX_BROKER'] === 'kafka';
const topicPrefix = 'rights';
const topic = (type: string): string => `${topicPrefix}.${type}`;
const log = captureLogger();

let kafka: GuardedKafka;
let directory: string;
let admin: Admin;

const clientOf = (account: string): KafkaClient =>
  createKafka(
    {
      KAFKA_BOOTSTRAP_SERVERS: [kafka.guarded],
      KAFKA_CLIENT_ID: account,
      KAFKA_SSL: false,
      KAFKA_SASL_MECHANISM: 'plain',
      KAFKA_SASL_USERNAME: account,
      KAFKA_SASL_PASSWORD: 'secret',
    },
    log.logger,
  );

async function allow(
  account: string,
  operation: AclOperationTypes,
  resourceName: string,
  resourceType = AclResourceTypes.TOPIC,
): Promise<void> {
  await admin.createAcls({
    acl: [
      {
        resourceType,
        resourceName,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${account}`,
        host: '*',
        operation,
        permissionType: AclPermissionTypes.ALLOW,
      },
    ],
  });
}

async function startAll(): Promise<void> {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-rights-'));
  kafka = await startGuardedKafka({
    dataDir: directory,
    logger: silentLogger(),
    accounts: { relay: 'secret', reader: 'secret' },
    refusedTopics: '.*\\.appointment\\.booked',
    onProcess: (pid) => registerProcess(fromSetup(variables.directory), pid),
  });
  admin = new Kafka({ brokers: [kafka.open], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
}

async function stopAll(): Promise<void> {
  await admin.disconnect();
  await kafka.kill();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

const until = (condition: () => Promise<boolean> | boolean, what: string): Promise<unknown> =>
  waitFor(condition, { what: () => `${what}:\n${log.lines().slice(-15).join('\n')}`, deadlineMs: 60_000 });

async function relayHoldsWhatIsRefused(): Promise<void> {
  const database = await createTestDatabase();
  const pool = poolOf(database.url, 8);
  const leaseMs = 5_000;
  const metrics = createRelayMetrics(new Registry());
  const identity = { id: crypto.randomUUID(), instance: 'relay' };
  const { logger } = log;
  const leases = new LaneLeases({ database: pool, identity, leaseMs, policy: 'wait', logger, metrics });
  const topics = {
    KAFKA_TOPIC_PREFIX: topicPrefix,
    KAFKA_TOPIC_PARTITIONS: 1,
    KAFKA_REPLICATION_FACTOR: 1,
    KAFKA_TOPIC_RETENTION_MS: 3_600_000,
    KAFKA_CREATE_TOPICS: true,
  };
  const account = 'relay';
  const common = { compression: 'none', logger, account, retryMaxMs: 300 } as const;
  const relay = new Relay({
    database: pool,
    publisher: new KafkaPublisher({ catalogue, kafka: clientOf(account), topics, ...common }),
    leases,
    leaseMs,
    pageSize: 100,
    pollIntervalMs: 50,
    retryMaxMs: 300,
    publishing: { catalogue, topicPrefix, maxMessageBytes: 1_000_000, policy: 'wait', account },
    logger,
    metrics,
  });
  const heldTypes = async (): Promise<string[]> => {
    const { rows } = await pool.query<{ line: string }>(
      `SELECT event_type || ': ' || detail AS line FROM signalbox.parked_event ORDER BY position`,
    );
    return rows.map(({ line }) => line);
  };
  const count = async (type: string): Promise<number> =>
    (await admin.fetchTopicOffsets(topic(type))).reduce((sum, { high }) => sum + Number(high), 0);
  try {
    await allow('relay', AclOperationTypes.CREATE, 'kafka-cluster', AclResourceTypes.CLUSTER);
    for (const type of ['patient.created', 'patient.updated', 'appointment.booked'])
      await allow('relay', AclOperationTypes.WRITE, topic(type));
    await allow('relay', AclOperationTypes.DESCRIBE, topic('patient.deleted'));
    await append(pool, 'a', 1);
    await append(pool, 'a', 2, { eventType: 'patient.deleted' });
    await append(pool, 'b', 1, { eventType: 'appointment.booked' });
    await append(pool, 'c', 1, { eventType: 'appointment.cancelled' });
    await append(pool, 'd', 1, { eventType: 'patient.created' });
    await relay.start();
    await until(async () => (await heldTypes()).length === 3, 'three events to be held');
    expect(await heldTypes()).toEqual([
      `patient.deleted: Kafka refuses Write on the topic "${topic('patient.deleted')}" to the account "relay": TOPIC_AUTHORIZATION_FAILED.`,
      `appointment.booked: Kafka refuses Create on the topic "${topic('appointment.booked')}" to the account "relay": POLICY_VIOLATION (topics like ${topic('appointment.booked')} are refused).`,
      `appointment.cancelled: Kafka refuses Describe on the topic "${topic('appointment.cancelled')}" to the account "relay": TOPIC_AUTHORIZATION_FAILED.`,
    ]);
    await until(
      async () => (await count('patient.updated')) + (await count('patient.created')) === 2,
      'the others',
    );
    await allow('relay', AclOperationTypes.WRITE, topic('patient.deleted'));
    await allow('relay', AclOperationTypes.WRITE, topic('appointment.cancelled'));
    await admin.createTopics({ topics: [{ topic: topic('appointment.booked') }] }).catch(() => undefined);
    await until(async () => (await heldTypes()).length === 1, 'two of them to go out');
    expect((await heldTypes())[0]).toContain('appointment.booked');
    for (const type of ['patient.created', 'patient.updated', 'patient.deleted', 'appointment.cancelled'])
      expect(await count(type)).toBe(1);
  } finally {
    await relay.stop();
    await pool.end();
    await database.drop();
  }
}

async function consumerReadsWhatItMay(): Promise<void> {
  const seen: string[] = [];
  const topics = ['bad', 'good', 'hidden'];
  await admin.createTopics({ topics: topics.map((name) => ({ topic: name })) });
  await allow('reader', AclOperationTypes.READ, 'good');
  await allow('reader', AclOperationTypes.DESCRIBE, 'bad');
  await allow('reader', AclOperationTypes.READ, 'readers', AclResourceTypes.GROUP);
  const producer = new Kafka({ brokers: [kafka.open], logLevel: logLevel.NOTHING }).producer();
  await producer.connect();
  for (const name of topics) await producer.send({ topic: name, messages: [{ value: name }] });
  await producer.disconnect();
  const consumer = new GroupConsumer({
    kafka: clientOf('reader'),
    group: 'readers',
    topics,
    handle: async ({ value }) => {
      seen.push(String(value));
      return { kind: 'done' };
    },
    logger: log.logger,
    account: 'reader',
    fromBeginning: true,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 4,
    retryMaxMs: 300,
  });
  try {
    await consumer.start();
    await until(
      () => seen.includes('good') && consumer.topicTroubles().length === 2,
      'the topic that it may read',
    );
    expect(consumer.topicTroubles().sort()).toEqual([
      'Kafka refuses Describe on the topic "hidden" to the account "reader": TOPIC_AUTHORIZATION_FAILED.',
      'Kafka refuses Read on the topic "bad" to the account "reader": TOPIC_AUTHORIZATION_FAILED.',
    ]);
    await allow('reader', AclOperationTypes.READ, 'bad');
    await allow('reader', AclOperationTypes.READ, 'hidden');
    await until(() => seen.length === 3, 'the others');
    expect([...seen].sort()).toEqual(topics);
  } finally {
    await consumer.stop();
  }
}

if (onRealKafka) {
  beforeAll(startAll);
  afterAll(stopAll);
  test(
    'a relay holds what ACLs and a policy refuse, publishes the rest, and goes on when it may',
    relayHoldsWhatIsRefused,
  );
  test('a consumer reads what it may, and takes up the rest when it may', consumerReadsWhatItMay);
} else {
  test('the dev broker has no ACLs: relay/topicTroubles and consumers/topicTroubles have it refuse topics', () => {
    expect(onRealKafka).toBe(false);
  });
}
