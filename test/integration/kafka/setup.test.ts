import { declaredTopics } from '../../../src/kafka/declaredTopics';
import { deleteTopics, kafkaBrokers, uniqueName, withAdmin } from '../../support/kafka';
import { spawnProgram } from '../../support/process';
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
    const first = await spawnProgram('src/kafka/setup/main', { env });
    expect(await first.exited).toEqual({ code: 0, signal: null });
    const { topics } = await withAdmin((admin) =>
      admin.fetchTopicMetadata({ topics: declaredTopics(catalogue, prefix) }),
    );
    expect(topics.map(({ partitions }) => partitions.length)).toEqual(
      declaredTopics(catalogue, prefix).map(() => 2),
    );
    const second = await spawnProgram('src/kafka/setup/main', { env });
    expect(await second.exited).toEqual({ code: 0, signal: null });
    expect(second.output()).toContain('"created":0');
  });

  it('says so in one line when there is no broker', async () => {
    const lost = await spawnProgram('src/kafka/setup/main', {
      env: { ...env, KAFKA_BOOTSTRAP_SERVERS: '127.0.0.1:1' },
    });
    expect(await lost.exited).toEqual({ code: 1, signal: null });
    expect(lost.output()).toContain('The topics could not be created on 127.0.0.1:1');
  });
});
