import { type Admin, ConfigResourceTypes } from 'kafkajs';
import { testAdmin, testKafka, uniqueName } from '../../support/kafka';
import { waitFor } from '../../support/waitFor';
import { closeRawClients, connectRaw } from './support/rawClient';
import { createTopics, errors } from './support/requests';

let admin: Admin;
beforeAll(async () => {
  admin = testAdmin();
  await admin.connect();
});
afterEach(closeRawClients);
afterAll(() => admin.disconnect());

/** kafkajs's words for UNKNOWN_TOPIC_OR_PARTITION. */
const unknownTopic = 'This server does not host this topic-partition';

const create = async (
  ...[topic, options]: [Parameters<typeof createTopics>[1][number], { validateOnly?: boolean }?]
): Promise<number | undefined> => (await createTopics(await connectRaw(), [topic], options))[topic.name];

describe('creating topics', () => {
  it('makes the partitions that were asked for, and says nothing of other topics', async () => {
    const topic = uniqueName('topics');
    expect(await admin.createTopics({ topics: [{ topic, numPartitions: 3, replicationFactor: 1 }] })).toBe(
      true,
    );
    const metadata = await admin.fetchTopicMetadata({ topics: [topic] });
    expect(metadata.topics.map(({ name }) => name)).toEqual([topic]);
    const partitions = metadata.topics[0]?.partitions.map(({ partitionId }) => partitionId);
    expect(partitions?.toSorted()).toEqual([0, 1, 2]);
    expect(await admin.listTopics()).toContain(topic);
  });

  it('uses the default number of partitions and replicas when none is given', async () => {
    const topic = uniqueName('topics');
    await admin.createTopics({ topics: [{ topic }] });
    expect((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions).not.toHaveLength(0);
  });

  it('only checks when validateOnly is set', async () => {
    const name = uniqueName('topics');
    expect(await create({ name }, { validateOnly: true })).toBe(errors.NONE);
    expect(await create({ name, partitions: 0 }, { validateOnly: true })).toBe(errors.INVALID_PARTITIONS);
    expect(await admin.listTopics()).not.toContain(name);
  });

  it('refuses a topic that exists', async () => {
    const name = uniqueName('topics');
    expect(await create({ name })).toBe(errors.NONE);
    expect(await create({ name })).toBe(errors.TOPIC_ALREADY_EXISTS);
    expect(await create({ name }, { validateOnly: true })).toBe(errors.TOPIC_ALREADY_EXISTS);
    expect(await admin.createTopics({ topics: [{ topic: name }] })).toBe(false);
  });

  it.each(['', '.', '..', 'with space', 'with/slash', 'ümlaut', 'x'.repeat(250)])(
    'refuses the name %j',
    async (name) => {
      expect(await create({ name })).toBe(errors.INVALID_TOPIC_EXCEPTION);
    },
  );

  it('takes a name of 249 characters', async () => {
    const name = uniqueName('topics').padEnd(249, 'x');
    expect(await create({ name })).toBe(errors.NONE);
    await admin.deleteTopics({ topics: [name] });
  });

  it('refuses a name that differs from another in dots and underscores only', async () => {
    const name = uniqueName('topics');
    expect(await create({ name: `${name}.a` })).toBe(errors.NONE);
    expect(await create({ name: `${name}_a` })).toBe(errors.INVALID_TOPIC_EXCEPTION);
  });

  it('refuses a topic that is named twice in one request', async () => {
    const name = uniqueName('topics');
    expect(await createTopics(await connectRaw(), [{ name }, { name }])).toEqual({
      [name]: errors.INVALID_REQUEST,
    });
    expect(await admin.listTopics()).not.toContain(name);
  });

  it.each([
    ['no partitions', { partitions: 0 }, errors.INVALID_PARTITIONS],
    ['a negative number of partitions', { partitions: -2 }, errors.INVALID_PARTITIONS],
    ['no replicas', { replicationFactor: 0 }, errors.INVALID_REPLICATION_FACTOR],
    ['more replicas than brokers', { replicationFactor: 99 }, errors.INVALID_REPLICATION_FACTOR],
    ['a replica on an unknown broker', { assignment: [[99]] }, errors.INVALID_REPLICA_ASSIGNMENT],
    ['an unknown setting', { configs: { 'no.such.setting': '1' } }, errors.INVALID_CONFIG],
    ['an impossible setting', { configs: { 'retention.ms': 'soon' } }, errors.INVALID_CONFIG],
  ])('refuses %s', async (_, topic, error) => {
    const name = uniqueName('topics');
    expect(await create({ name, ...topic })).toBe(error);
    expect(await admin.listTopics()).not.toContain(name);
  });

  it('creates the good topics of a request and refuses the bad ones', async () => {
    const [good, bad] = [uniqueName('topics'), uniqueName('topics')];
    const results = await createTopics(await connectRaw(), [{ name: good }, { name: bad, partitions: 0 }]);
    expect(results).toEqual({ [good]: errors.NONE, [bad]: errors.INVALID_PARTITIONS });
  });
});

describe('topics that do not exist', () => {
  it('are not created by asking for them', async () => {
    const kafka = testKafka();
    const topic = uniqueName('missing');
    const producer = kafka.producer({ allowAutoTopicCreation: false, retry: { retries: 0 } });
    await producer.connect();
    await expect(producer.send({ topic, messages: [{ value: 'x' }] })).rejects.toThrow(unknownTopic);
    await producer.disconnect();
    expect(await admin.listTopics()).not.toContain(topic);
  });

  it('can be neither deleted nor given partitions', async () => {
    const topic = uniqueName('missing');
    const hasty = testKafka().admin({ retry: { retries: 0 } });
    await hasty.connect();
    await expect(hasty.deleteTopics({ topics: [topic] })).rejects.toThrow(unknownTopic);
    const topicPartitions = [{ topic, count: 2 }];
    await expect(hasty.createPartitions({ topicPartitions })).rejects.toThrow(unknownTopic);
    await hasty.disconnect();
  });
});

describe('changing topics', () => {
  it('adds partitions', async () => {
    const topic = uniqueName('topics');
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
    const countPartitions = async () => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      return topics[0]?.partitions.length;
    };
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }], validateOnly: true });
    expect(await countPartitions()).toBe(1);
    await admin.createPartitions({ topicPartitions: [{ topic, count: 4 }] });
    await waitFor(async () => (await countPartitions()) === 4, { what: 'the new partitions' });
  });

  it.each([1, 2])('refuses %i partitions where there are 2', async (count) => {
    const topic = uniqueName('topics');
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
    await expect(admin.createPartitions({ topicPartitions: [{ topic, count }] })).rejects.toMatchObject({
      type: 'INVALID_PARTITIONS',
    });
  });

  it('forgets a deleted topic, and its records when it is created again', async () => {
    const topic = uniqueName('topics');
    const producer = testKafka().producer();
    await producer.connect();
    await admin.createTopics({ topics: [{ topic }] });
    await producer.send({ topic, messages: [{ value: 'x' }] });
    await producer.disconnect();
    await admin.deleteTopics({ topics: [topic] });
    await waitFor(async () => !(await admin.listTopics()).includes(topic), { what: 'the topic to be gone' });
    await admin.createTopics({ topics: [{ topic }] });
    expect(await admin.fetchTopicOffsets(topic)).toEqual([
      { partition: 0, offset: '0', high: '0', low: '0' },
    ]);
  });
});

describe('settings', () => {
  const settingsOf = async (
    topic: string,
    ...names: string[]
  ): Promise<Record<string, [string, boolean]>> => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: names }],
    });
    const entries = resources[0]?.configEntries ?? [];
    return Object.fromEntries(
      entries.map(({ configName, configValue, isDefault }) => [configName, [configValue, isDefault]]),
    );
  };

  it('are those given at creation, else the defaults', async () => {
    const topic = uniqueName('topics');
    const configEntries = [{ name: 'retention.ms', value: '12345' }];
    await admin.createTopics({ topics: [{ topic, configEntries }] });
    expect(await settingsOf(topic, 'retention.ms', 'max.message.bytes', 'cleanup.policy')).toEqual({
      'cleanup.policy': ['delete', true],
      'max.message.bytes': ['1048588', true],
      'retention.ms': ['12345', false],
    });
  });

  it('are all described when no names are given', async () => {
    const topic = uniqueName('topics');
    await admin.createTopics({ topics: [{ topic }] });
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    const names = resources[0]?.configEntries.map(({ configName }) => configName);
    expect(names).toEqual(expect.arrayContaining(['retention.ms', 'segment.bytes', 'min.insync.replicas']));
  });

  it('are replaced as a whole', async () => {
    const topic = uniqueName('topics');
    await admin.createTopics({
      topics: [{ topic, configEntries: [{ name: 'retention.ms', value: '12345' }] }],
    });
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [{ name: 'max.message.bytes', value: '2000' }],
        },
      ],
    });
    expect(await settingsOf(topic, 'retention.ms', 'max.message.bytes')).toEqual({
      'max.message.bytes': ['2000', false],
      'retention.ms': ['604800000', true],
    });
  });

  it('are refused when they are impossible', async () => {
    const topic = uniqueName('topics');
    await admin.createTopics({ topics: [{ topic }] });
    const configEntries = [{ name: 'max.message.bytes', value: 'plenty' }];
    const resources = [{ type: ConfigResourceTypes.TOPIC as const, name: topic, configEntries }];
    await expect(admin.alterConfigs({ validateOnly: false, resources })).rejects.toMatchObject({
      type: 'INVALID_CONFIG',
    });
  });

  it('can be asked of the broker too', async () => {
    const { brokers, controller, clusterId } = await admin.describeCluster();
    expect(brokers.map(({ nodeId }) => nodeId)).toContain(controller);
    expect(clusterId).not.toBe('');
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.BROKER, name: String(brokers[0]?.nodeId) }],
    });
    const names = resources[0]?.configEntries.map(({ configName }) => configName);
    expect(names).toContain('auto.create.topics.enable');
  });
});
