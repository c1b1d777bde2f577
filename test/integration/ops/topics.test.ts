import { ConfigResourceTypes } from 'kafkajs';
import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { deadLetterTopic } from '../../../src/kafka/topics/topicNames';
import {
  createTopics,
  deleteTopics,
  settingsBecome,
  settingsOf,
  uniqueName,
  withAdmin,
} from '../../support/kafka';
import { waitFor } from '../../support/waitFor';
import { createdTopic, kafkaEnv, newPrefix, ops } from './support';
import { catalogue } from '../../../src/healthcore/catalogue';

let prefix: string;
let env: Record<string, string>;
beforeEach(() => {
  prefix = newPrefix();
  env = { ...kafkaEnv(prefix), KAFKA_TOPIC_PARTITIONS: '2', KAFKA_TOPIC_RETENTION_MS: '3600000' };
});
afterEach(() => deleteTopics(...declaredTopics(catalogue, prefix)));

interface Line {
  topic: string;
  exists: boolean;
  partitions: number;
  retention_ms: number;
  differences: string[];
}
const list = async (...args: string[]): Promise<Line[]> =>
  ((await ops(env, 'topics', 'list', '--json', ...args)).json() as { topics: Line[] }).topics;

it('shows what is missing, creates it, and finds nothing to do the second time', async () => {
  expect((await list()).map(({ differences }) => differences)).toEqual(
    declaredTopics(catalogue, prefix).map(() => ['is missing']),
  );
  const dry = await ops(env, 'topics', 'apply');
  expect(dry.code).toBe(2);
  expect(dry.output).toContain(`${createdTopic(prefix)} is missing: would be created`);
  expect((await list()).some(({ exists }) => exists)).toBe(false);

  const applied = await ops(env, 'topics', 'apply', '--execute');
  expect(applied.code).toBe(0);
  expect(await list()).toEqual(
    declaredTopics(catalogue, prefix).map((topic) =>
      expect.objectContaining({
        topic,
        exists: true,
        partitions: 2,
        retention_ms: 3_600_000,
        differences: [],
      }),
    ),
  );
  const again = await ops(env, 'topics', 'apply');
  expect(again).toMatchObject({ code: 0 });
  expect(again.output).toContain('All topics are as declared.');
});

it('sets what differs and keeps what somebody else has set', async () => {
  const topic = createdTopic(prefix);
  await ops(env, 'topics', 'apply', '--execute');
  await withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [
            { name: 'retention.ms', value: '1000' },
            { name: 'segment.ms', value: '600000' },
            { name: 'max.message.bytes', value: '5000000' },
          ],
        },
      ],
    }),
  );
  const dry = await ops(env, 'topics', 'apply', '--json');
  expect(dry.code).toBe(2);
  expect(dry.json()).toMatchObject({
    executed: false,
    steps: [{ topic, action: 'set', name: 'retention.ms', is: '1000', declared: '3600000' }],
  });
  expect(await settingsOf(topic)).toMatchObject({ 'retention.ms': '1000' });
  expect((await ops(env, 'topics', 'apply', '--execute')).code).toBe(0);
  await settingsBecome(topic, {
    'retention.ms': '3600000',
    'segment.ms': '600000',
    'max.message.bytes': '5000000',
  });
});

it('cuts nothing without --allow-data-loss, and what is not asked for does not undo what is', async () => {
  const topic = createdTopic(prefix);
  const year = { ...env, KAFKA_TOPIC_RETENTION_MS: '31536000000' };
  await ops(year, 'topics', 'apply', '--execute');
  // Another recipe of the guide, without the first one's variable.
  const unset: Record<string, string> = { ...env, KAFKA_MAX_MESSAGE_BYTES: '2000000' };
  delete unset['KAFKA_TOPIC_RETENTION_MS'];
  const larger = await ops(unset, 'topics', 'apply', '--execute');
  expect(larger.code).toBe(0);
  expect(larger.output).toContain(
    `${topic} retention.ms is 31536000000, declared 604800000: left as it is (KAFKA_TOPIC_RETENTION_MS is not set`,
  );
  await withAdmin((admin) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        {
          type: ConfigResourceTypes.TOPIC,
          name: topic,
          configEntries: [
            { name: 'retention.ms', value: '31536000000' },
            { name: 'cleanup.policy', value: 'compact' },
            { name: 'max.message.bytes', value: '2000000' },
          ],
        },
      ],
    }),
  );
  const refused = await ops(env, 'topics', 'apply', '--execute');
  expect(refused.code).toBe(1);
  expect(refused.output).toContain('retention.ms is 31536000000, declared 3600000: left as it is');
  expect(refused.output).toContain('cleanup.policy is compact, declared delete: left as it is');
  await settingsBecome(topic, {
    'retention.ms': '31536000000',
    'cleanup.policy': 'compact',
  });
  const allowed = await ops(env, 'topics', 'apply', '--execute', '--allow-data-loss');
  expect(allowed.code).toBe(0);
  await settingsBecome(topic, {
    'retention.ms': '3600000',
    'cleanup.policy': 'delete',
    'max.message.bytes': '2000000',
  });
});

it('raises the size limit with KAFKA_MAX_MESSAGE_BYTES, with room for the headers of dead letters', async () => {
  await ops(env, 'topics', 'apply', '--execute');
  expect(
    (await ops({ ...env, KAFKA_MAX_MESSAGE_BYTES: '2000000' }, 'topics', 'apply', '--execute')).code,
  ).toBe(0);
  await settingsBecome(createdTopic(prefix), { 'max.message.bytes': '2000000' });
  expect(Number((await settingsOf(deadLetterTopic(prefix)))['max.message.bytes'])).toBeGreaterThan(2_000_000);
});

it('adds partitions only when told to, says that keys move, and never takes any away', async () => {
  await ops(env, 'topics', 'apply', '--execute');
  const more = { ...env, KAFKA_TOPIC_PARTITIONS: '4' };
  const warned = await ops(more, 'topics', 'apply', '--execute');
  expect(warned.code).toBe(0);
  expect(warned.output).toContain('adding partitions moves keys');
  expect((await list()).every(({ partitions }) => partitions === 2)).toBe(true);
  expect((await ops(more, 'topics', 'apply', '--execute', '--add-partitions')).code).toBe(0);
  const fewer = await ops(env, 'topics', 'apply', '--execute', '--add-partitions');
  expect(fewer.output).toContain('partitions cannot be taken away');
  // Another broker than the one that the command has asked may hear of it a moment later.
  await waitFor(async () => (await list()).every(({ partitions }) => partitions === 4), {
    what: 'four partitions of each topic',
  });
});

it('describes partitions and offsets, and refuses a topic that is not there', async () => {
  const topic = uniqueName('other');
  await createTopics({ topic, partitions: 2 });
  const described = await ops(env, 'topics', 'describe', topic, '--json');
  expect(described.json()).toMatchObject({
    topics: [
      {
        topic,
        partitions: [
          { partition: 0, replicas: [expect.any(Number)], inSync: [expect.any(Number)], low: '0', high: '0' },
          { partition: 1 },
        ],
      },
    ],
  });
  const unknown = await ops(env, 'topics', 'describe', 'no.such.topic');
  expect(unknown.code).toBe(1);
  expect(unknown.output).toContain('The cluster has no topic no.such.topic.');
  expect((await list('--all')).map((line) => line.topic)).toContain(topic);
  await deleteTopics(topic);
});

it('says in one line that no broker answers', async () => {
  const lost = await ops({ ...env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' }, 'topics', 'list');
  expect(lost.code).toBe(1);
  expect(lost.output).toContain(
    'No Kafka broker answers at 127.0.0.1:1 (127.0.0.1:1: refuses the connection). Start it',
  );
  expect(lost.output).not.toContain('    at ');
});
