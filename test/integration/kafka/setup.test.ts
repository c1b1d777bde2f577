import { declaredTopics } from '../../../src/kafka/topics/declaredTopics';
import { deleteTopics, kafkaBrokers, uniqueName, withAdmin } from '../../support/kafka';
import { spawnSignalbox } from '../../support/process';
import { catalogue } from '../../../src/healthcore/catalogue';

const prefix = uniqueName('setup').replace('.', '-');
const env = {
  KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
  KAFKA_TOPIC_PREFIX: prefix,
  KAFKA_TOPIC_PARTITIONS: '2',
  // As in docker-compose.yml, where this program alone creates topics.
  KAFKA_CREATE_TOPICS: 'false',
};

afterAll(() => deleteTopics(...declaredTopics(catalogue, prefix)));

describe('the program that sets up topics', () => {
  it('creates every declared topic, and finds nothing to do the second time', async () => {
    const first = await spawnSignalbox('ops', { args: ['topics', 'create'], env });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const { topics } = await withAdmin((admin) =>
      admin.fetchTopicMetadata({ topics: declaredTopics(catalogue, prefix) }),
    );
    expect(topics.map(({ partitions }) => partitions.length)).toEqual(
      declaredTopics(catalogue, prefix).map(() => 2),
    );
    const second = await spawnSignalbox('ops', { args: ['topics', 'create'], env });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(second.output()).toBe('All declared topics exist.\n');
  });

  it('says so in one line when there is no broker', async () => {
    const lost = await spawnSignalbox('ops', {
      args: ['topics', 'create'],
      env: { ...env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' },
    });
    expect(await lost.exited).toEqual({ code: 1, signal: null });
    expect(lost.output()).toMatch(/^No Kafka broker answers at 127\.0\.0\.1:1 .*\n$/);
  });
});
