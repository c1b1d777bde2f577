import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DevBroker, startDevBroker } from '../../../dev/broker/broker';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { explain } from '../../../src/kafka/connection/explain';
import { missingTopics } from '../../../src/kafka/topics/missingTopics';
import { silentLogger } from '../../support/logger';
import { Connections } from '../../../src/kafka/connection/connections';
import { askEveryBroker } from '../../../src/kafka/kafkajs/brokerPool';
import { topicOffsets } from '../../../src/kafka/topics/topicOffsets';
import { UserError } from '../../../src/shared/lifecycle';

const require = createRequire(__filename);

interface Pool {
  brokers: Record<string, unknown>;
  findBroker: (options: { nodeId: string }) => Promise<string>;
  withBroker: (use: (found: { nodeId: string; broker: string }) => Promise<string>) => Promise<string | null>;
}

/** kafkajs' own pool, whose brokers are reached as `findBroker` says. */
function poolOf(nodeIds: readonly string[], findBroker: Pool['findBroker']): Pool {
  askEveryBroker();
  const { prototype } = require('kafkajs/src/cluster/brokerPool') as { prototype: object };
  return Object.assign(Object.create(prototype) as Pool, {
    brokers: Object.fromEntries(nodeIds.map((id) => [id, {}])),
    findBroker,
  });
}

const failure = (type: string): Error =>
  Object.assign(new Error(type), { name: 'KafkaJSProtocolError', type });

test('every broker is asked until one answers, also when others cannot be connected to', async () => {
  const pool = poolOf(['1', '2', '3'], async ({ nodeId }) => {
    if (nodeId === '2') throw new Error('no connection');
    return `broker ${nodeId}`;
  });
  for (let round = 0; round < 20; round += 1) {
    const asked: string[] = [];
    const answer = await pool.withBroker(async ({ nodeId, broker }) => {
      asked.push(nodeId);
      if (nodeId === '1') throw failure('GROUP_COORDINATOR_NOT_AVAILABLE');
      return broker;
    });
    expect(answer).toBe('broker 3');
    expect(asked).not.toContain('2');
  }
});

test('a right that is missing is not mistaken for a broker that is away', async () => {
  const pool = poolOf(['1', '2'], async ({ nodeId }) => nodeId);
  let asked = 0;
  const looking = pool.withBroker(async () => {
    asked += 1;
    throw failure('GROUP_AUTHORIZATION_FAILED');
  });
  await expect(looking).rejects.toMatchObject({ type: 'GROUP_AUTHORIZATION_FAILED' });
  expect(asked).toBe(1);
});

test('when nobody answers there is no answer, and without brokers an error', async () => {
  const failing = async (): Promise<string> => {
    throw new Error('no');
  };
  expect(await poolOf(['1', '2'], failing).withBroker(async () => 'x')).toBeNull();
  await expect(poolOf([], failing).withBroker(async () => 'x')).rejects.toThrow('No brokers');
});

describe('a broker that takes connections and says nothing', () => {
  const frozen = createServer(() => undefined);
  let broker: DevBroker;
  let address: string;
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'signalbox-frozen-'));
    broker = await startDevBroker({ port: 0, dataDir: directory, logger: silentLogger() });
    frozen.listen(0, '127.0.0.1');
    await once(frozen, 'listening');
    address = `127.0.0.1:${(frozen.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    frozen.close();
    await broker.stop();
    await rm(directory, { recursive: true });
  });

  const clientOf = (brokers: string[]): ReturnType<typeof createKafka> =>
    createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: brokers, KAFKA_CLIENT_ID: 'test', KAFKA_SSL: false },
      silentLogger(),
      { requestTimeoutMs: 500 },
    );

  it('is passed over for the next one of the list, and is no longer the first', async () => {
    const kafka = clientOf([address, broker.address]);
    expect(await missingTopics(kafka, ['none'])).toEqual(['none']);
  });

  it('is named when there is no other', async () => {
    const kafka = clientOf([address]);
    const error: unknown = await missingTopics(kafka, []).catch((reason: unknown) => reason);
    expect(explain(kafka, error)).toEqual({
      fatal: false,
      type: 'SILENT',
      words: `${address}: it does not answer`,
    });
  });
});

test('the offsets of many topics are asked for one after the other, and a failure holds up no other', async () => {
  let underWay = 0;
  let most = 0;
  const admin = {
    fetchTopicOffsets: async (topic: string) => {
      underWay += 1;
      most = Math.max(most, underWay);
      await new Promise((resolve) => setImmediate(resolve));
      underWay -= 1;
      if (topic === 'b') throw new TypeError("Cannot destructure property 'partitions' of 'high.pop(...)'");
      return [{ partition: 0, offset: '3', low: '1', high: '3' }];
    },
  };
  const results = await Promise.allSettled(['a', 'b', 'c'].map((topic) => topicOffsets(admin, topic)));
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(most).toBe(1);
  await expect(topicOffsets(admin, 'b')).rejects.toThrow(UserError);
  await expect(topicOffsets(admin, 'b')).rejects.toThrow('Kafka does not say who leads b');
});

test('a broker that was silent is connected to last', () => {
  const connections = new Connections({ files: {}, sasl: false });
  expect(connections.inOrder(['a:1', 'b:1', 'c:1'])).toEqual(['a:1', 'b:1', 'c:1']);
  connections.reportSilence('a:1');
  expect(connections.inOrder(['a:1', 'b:1', 'c:1'])).toEqual(['b:1', 'c:1', 'a:1']);
  expect(connections.trouble).toMatchObject({ broker: 'a:1', words: 'it does not answer', permanent: false });
});
