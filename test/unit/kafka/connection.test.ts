/** What is said of a broker that cannot be used: its own words, and whether waiting can help. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDevBroker, type DevBroker } from '../../../dev/broker/broker';
import { createKafka, type KafkaSettings } from '../../../src/kafka/kafkajs/client';
import { explain, type Explanation, reasonsKnown } from '../../../src/kafka/connection/explain';
import { troubleOf } from '../../../src/kafka/connection/trouble';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import { missingTopics } from '../../../src/kafka/topics/missingTopics';
import { KafkaPublisher } from '../../../src/kafka/publish/producer';
import { type Certificate, createAuthority, createCertificate, fileWith } from '../../support/certificates';
import { type Door, openSaslDoor, openTlsDoor } from '../../support/kafkaDoors';
import { silentLogger } from '../../support/logger';
import { startTcpProxy } from '../../support/tcpProxy';
import { waitFor, within } from '../../support/waitFor';
import { catalogue } from '../../../src/healthcore/catalogue';

let directory: string;
let authority: Certificate;
let stranger: Certificate;
let ca: string;
const doors: Door[] = [];
const brokers: DevBroker[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-connection-'));
  [authority, stranger] = await Promise.all([createAuthority('Ours'), createAuthority('Theirs')]);
  ca = await fileWith(directory, 'ca.pem', authority.cert);
});
afterEach(async () => {
  await Promise.all(doors.splice(0).map((door) => door.close()));
  await Promise.all(brokers.splice(0).map((broker) => broker.stop()));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** A broker that tells its clients to come through the door. */
async function behind(door: Door): Promise<string> {
  doors.push(door);
  const dataDir = await mkdtemp(join(directory, 'broker-'));
  const broker = await startDevBroker({
    port: 0,
    advertisedPort: door.port,
    dataDir,
    logger: silentLogger(),
  });
  brokers.push(broker);
  door.leadTo(broker.port);
  return door.address;
}

type Settings = Omit<KafkaSettings, 'KAFKA_BOOTSTRAP_SERVERS' | 'KAFKA_CLIENT_ID'>;

const clientOf = (address: string, settings: Settings): ReturnType<typeof createKafka> =>
  createKafka({ KAFKA_BOOTSTRAP_SERVERS: [address], KAFKA_CLIENT_ID: 'test', ...settings }, silentLogger());

async function attempt(kafka: ReturnType<typeof createKafka>): Promise<Explanation | undefined> {
  try {
    await missingTopics(kafka, []);
    return undefined;
  } catch (error) {
    return explain(kafka, error);
  }
}

/** Attempts until it is known that waiting cannot help. */
async function permanentReason(address: string, settings: Settings): Promise<string> {
  const kafka = clientOf(address, settings);
  let last: Explanation | undefined;
  await waitFor(async () => (last = await attempt(kafka))?.fatal === true, {
    deadlineMs: 20_000,
    what: () => `a reason; the last one is ${JSON.stringify(last)}`,
  });
  return last?.words ?? '';
}

const tls = (more: Partial<Settings> = {}): Settings => ({ KAFKA_SSL: true, KAFKA_SSL_CA_FILE: ca, ...more });

test('a certificate of an authority that we know is accepted', async () => {
  const address = await behind(await openTlsDoor(await createCertificate(authority)));
  expect(await attempt(clientOf(address, tls()))).toBeUndefined();
});

test('a certificate of another authority is named with our file', async () => {
  const address = await behind(await openTlsDoor(await createCertificate(stranger)));
  const words = await permanentReason(address, tls());
  expect(words).toContain(
    `${address}: its certificate is not signed by the authority in KAFKA_SSL_CA_FILE="${ca}"`,
  );
});

test('a private authority without a file for it is named too', async () => {
  const address = await behind(await openTlsDoor(await createCertificate(authority)));
  expect(await permanentReason(address, { KAFKA_SSL: true })).toMatch(
    /not signed by an authority that Node knows .*Set KAFKA_SSL_CA_FILE/,
  );
});

test('a certificate that has expired', async () => {
  const address = await behind(await openTlsDoor(await createCertificate(authority, { expired: true })));
  expect(await permanentReason(address, tls())).toContain('out of date (certificate has expired)');
});

test('a certificate for another host', async () => {
  const certificate = await createCertificate(authority, { host: 'kafka.example' });
  const address = await behind(await openTlsDoor(certificate));
  expect(await permanentReason(address, tls())).toMatch(
    /for another host \(.*127\.0\.0\.1.*advertised.listeners/,
  );
});

describe('a broker that wants a certificate of its clients', () => {
  const guarded = async (): Promise<string> =>
    behind(
      await openTlsDoor({
        ...(await createCertificate(authority)),
        ca: authority.cert,
        requestCert: true,
        rejectUnauthorized: true,
      }),
    );
  const pair = async (by: Certificate): Promise<Partial<Settings>> => {
    const { cert, key } = await createCertificate(by, { host: 'client' });
    return {
      KAFKA_SSL_CERT_FILE: await fileWith(directory, 'client.pem', cert),
      KAFKA_SSL_KEY_FILE: await fileWith(directory, 'client.key', key),
    };
  };

  it('says so to one that has none', async () => {
    expect(await permanentReason(await guarded(), tls())).toMatch(
      /it wants a certificate of this client .*Set KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE/,
    );
  });

  it('lets one in that has a good one', async () => {
    const settings = tls(await pair(authority));
    expect(await attempt(clientOf(await guarded(), settings))).toBeUndefined();
  });

  it('refuses another one by its file', async () => {
    const settings = tls(await pair(stranger));
    // Node's server says nothing when it refuses; Java's sends an alert, see below.
    expect(await attempt(clientOf(await guarded(), settings))).toMatchObject({
      fatal: false,
      words: expect.stringContaining(`KAFKA_SSL_CERT_FILE="${settings.KAFKA_SSL_CERT_FILE}"`) as unknown,
    });
  });
});

test('TLS spoken to a port without', async () => {
  const dataDir = await mkdtemp(join(directory, 'broker-'));
  const broker = await startDevBroker({ port: 0, dataDir, logger: silentLogger() });
  brokers.push(broker);
  expect(await permanentReason(broker.address, tls())).toContain(
    `${broker.address}: it does not speak TLS on this port`,
  );
});

test('a port with TLS spoken to without', async () => {
  const address = await behind(await openTlsDoor(await createCertificate(authority)));
  expect(await permanentReason(address, { KAFKA_SSL: false })).toContain(
    `${address}: it speaks TLS on this port. Set KAFKA_SSL=true`,
  );
});

test('a port that asks for SASL spoken to without', async () => {
  const address = await behind(await openSaslDoor(['PLAIN', 'SCRAM-SHA-512']));
  expect(await permanentReason(address, { KAFKA_SSL: false })).toContain(
    `${address}: it asks for SASL (plain, scram-sha-512) on this port. Set KAFKA_SASL_MECHANISM`,
  );
});

test('a broker that is down is waited for, with its words', async () => {
  const proxy = await startTcpProxy({ port: 1 });
  await proxy.close();
  expect(await attempt(clientOf(proxy.address, { KAFKA_SSL: false }))).toEqual({
    fatal: false,
    type: 'ECONNREFUSED',
    words: `${proxy.address}: refuses the connection`,
  });
});

test('a certificate that goes bad while a program runs is waited for, and the new one accepted', async () => {
  const door = await openTlsDoor(await createCertificate(authority));
  const kafka = clientOf(await behind(door), tls());
  expect(await attempt(kafka)).toBeUndefined();
  door.renew(await createCertificate(authority, { expired: true }));
  expect(await attempt(kafka)).toMatchObject({ fatal: false, type: 'CERT_HAS_EXPIRED' });
  door.renew(await createCertificate(authority));
  expect(await attempt(kafka)).toBeUndefined();
});

test.each([
  [
    'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
    'it refuses the certificate in KAFKA_SSL_CERT_FILE="c.pem" (bad certificate)',
  ],
  [
    'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
    'it refuses the certificate in KAFKA_SSL_CERT_FILE="c.pem" (unknown ca)',
  ],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'it does not speak TLS on this port'],
])('%s is something that waiting cannot help', (code, words) => {
  const trouble = troubleOf({ code, message: 'x' }, 'b:1', { cert: 'c.pem' });
  expect(trouble).toMatchObject({ permanent: true, words });
});

describe('a program', () => {
  it('that consumes ends with one line when waiting cannot help', async () => {
    const address = await behind(await openTlsDoor(await createCertificate(stranger)));
    const consumer = new GroupConsumer({
      kafka: clientOf(address, tls()),
      group: 'group',
      topics: ['topic'],
      handle: async () => ({ kind: 'done' }),
      logger: silentLogger(),
      fromBeginning: true,
      sessionTimeoutMs: 10_000,
      partitionsAtOnce: 1,
      retryMaxMs: 300,
    });
    await consumer.start();
    await expect(within(consumer.failed, { what: 'the end' })).rejects.toThrow(
      `Kafka cannot be used by the group "group": ${address}: its certificate is not signed by`,
    );
    expect(consumer.status()).toMatchObject({
      state: 'stopped',
      detail: expect.stringContaining('not signed') as unknown,
    });
    await consumer.stop();
  });

  it('that publishes is told the words: for ever, or to wait', async () => {
    const address = await behind(await openTlsDoor(await createCertificate(stranger)));
    const publisherOf = (to: string, settings: Settings): KafkaPublisher =>
      new KafkaPublisher({
        catalogue,
        kafka: clientOf(to, settings),
        topics: {
          KAFKA_TOPIC_PREFIX: 'connection',
          KAFKA_TOPIC_PARTITIONS: 1,
          KAFKA_REPLICATION_FACTOR: 1,
          KAFKA_TOPIC_RETENTION_MS: -1,
          KAFKA_CREATE_TOPICS: false,
        },
        compression: 'none',
        logger: silentLogger(),
      });
    const refused = publisherOf(address, tls());
    expect(await refused.ready()).toMatchObject({
      kind: 'fatal',
      words: expect.stringContaining(ca) as unknown,
    });
    expect(refused.failure).toContain('not signed');
    const away = publisherOf('127.0.0.1:1', { KAFKA_SSL: false });
    expect(await away.ready()).toEqual({
      kind: 'retryable',
      type: 'KafkaJSConnectionError',
      words: '127.0.0.1:1: refuses the connection',
    });
  });
});

describe('a command that tries once', () => {
  it('knows the reason all the same', async () => {
    const address = await behind(await openSaslDoor(['PLAIN']));
    const kafka = clientOf(address, { KAFKA_SSL: false });
    const error: unknown = await missingTopics(kafka, []).catch((reason: unknown) => reason);
    await reasonsKnown(kafka);
    expect(explain(kafka, error)).toMatchObject({ fatal: true, type: 'SASL_WANTED' });
  });
});

test.each([
  ['GROUP_AUTHORIZATION_FAILED', 'may not use the group: it lacks the right Read'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'lacks a right on it'],
  ['ILLEGAL_SASL_STATE', 'asks for no SASL on this port'],
])('%s is fatal, and says what is lacking', (type, words) => {
  const error = Object.assign(new Error('broker says no'), { name: 'KafkaJSProtocolError', type });
  const kafka = clientOf('127.0.0.1:1', {
    KAFKA_SSL: false,
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: 'ada',
    KAFKA_SASL_PASSWORD: 'secret',
  });
  const found = explain(kafka, error);
  expect(found).toMatchObject({ fatal: true, type, words: expect.stringContaining(words) as unknown });
  if (type !== 'ILLEGAL_SASL_STATE') expect(found.words).toContain('the account "ada"');
  expect(found.words).not.toContain('secret');
});

test('a request that is not answered in time names its broker, which is connected to last from then on', () => {
  const kafka = clientOf('127.0.0.1:1', { KAFKA_SSL: false });
  const error = Object.assign(new Error('Request Metadata timed out'), {
    name: 'KafkaJSRequestTimeoutError',
    broker: '127.0.0.1:1',
  });
  const wrapped = Object.assign(new Error('retried'), {
    name: 'KafkaJSNumberOfRetriesExceeded',
    cause: error,
  });
  expect(explain(kafka, wrapped)).toEqual({
    fatal: false,
    type: 'SILENT',
    words: '127.0.0.1:1: it does not answer',
  });
});
