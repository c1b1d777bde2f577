import type { Admin } from '../../../src/ops/groups/find';
import { brokerFindings, kafkaChecks } from '../../../src/ops/doctor/kafka';
import type { Finding } from '../../../src/ops/doctor/finding';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { opsKafkaVariables } from '../../../src/ops/kafka';
import { loadConfig } from '../../../src/shared/config/load';
import { catalogue } from '../../../src/healthcore/catalogue';

const config = loadConfig(opsKafkaVariables, {
  KAFKA_REPLICATION_FACTOR: '3',
  KAFKA_TOPIC_PARTITIONS: '1',
});

interface Cluster {
  readonly inSync: number[];
  readonly minInSync: string;
  readonly leader?: number;
}

/** A cluster that has every declared topic, with replicas on the brokers 1, 2 and 3. */
function adminOf({ inSync, minInSync, leader = 1 }: Cluster): Admin {
  const names = declaredTopics(catalogue, config.KAFKA_TOPIC_PREFIX);
  const settings = {
    'retention.ms': '604800000',
    'cleanup.policy': 'delete',
    'compression.type': 'producer',
    'max.message.bytes': '2000000',
    'min.insync.replicas': minInSync,
  };
  return {
    listTopics: async () => names,
    fetchTopicMetadata: async () => ({
      topics: names.map((name) => ({
        name,
        partitions: [{ partitionId: 0, leader, replicas: [1, 2, 3], isr: inSync }],
      })),
    }),
    describeConfigs: async () => ({
      resources: names.map((resourceName) => ({
        resourceName,
        configEntries: Object.entries(settings).map(([configName, configValue]) => ({
          configName,
          configValue,
        })),
      })),
    }),
  } as unknown as Admin;
}

async function topicFindings(cluster: Cluster): Promise<readonly Finding[]> {
  const check = kafkaChecks({ catalogue, admin: adminOf(cluster), config, maxLag: 0n }).find(
    ({ name }) => name === 'topics',
  );
  return (await check?.run()) ?? [];
}

test('a healthy cluster has nothing to look at', async () => {
  expect(await topicFindings({ inSync: [1, 2, 3], minInSync: '2' })).toMatchObject([{ status: 'ok' }]);
});

test('a broker that is down is one finding, however many partitions it has', async () => {
  const findings = await topicFindings({ inSync: [1, 2], minInSync: '2' });
  expect(findings).toMatchObject([
    {
      status: 'warn',
      detail: expect.stringMatching(/^broker 3 is not in sync for .* and \d+ more$/) as unknown,
    },
  ]);
});

test('too few replicas in sync stop the topics, which is said once', async () => {
  const findings = await topicFindings({ inSync: [1], minInSync: '2' });
  expect(findings.filter(({ status }) => status === 'fail')).toMatchObject([
    {
      detail: expect.stringMatching(
        /has 1 replicas in sync and min.insync.replicas 2: it takes no events \(and so for \d+ more topics\)/,
      ) as unknown,
    },
  ]);
  expect(findings).toHaveLength(3);
});

test.each([
  ['1', 'may lose acknowledged events'],
  ['3', 'Without any one broker'],
])('min.insync.replicas=%s of three replicas is worth a look', async (minInSync, remedy) => {
  expect(await topicFindings({ inSync: [1, 2, 3], minInSync })).toMatchObject([
    { status: 'warn', remedy: expect.stringContaining(remedy) as unknown },
  ]);
});

test('nothing is to be lowered while brokers are down', () => {
  const [down] = brokerFindings({ brokers: 2, down: [3] }, config);
  expect(down).toMatchObject({
    status: 'warn',
    detail: expect.stringContaining('down: broker 3') as unknown,
  });
  expect(down?.remedy).not.toContain('lower');
  const [small] = brokerFindings({ brokers: 2, down: [] }, config);
  expect(small).toMatchObject({ status: 'fail', remedy: expect.stringContaining('lower it') as unknown });
});
