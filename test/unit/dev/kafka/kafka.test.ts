import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentFlags, image } from '../../../../dev/kafka/docker';
import { findBroker } from '../../../../dev/kafka/findBroker';
import { findJava, readJavaVersion } from '../../../../dev/kafka/java';
import {
  clusterOf,
  readControllerPort,
  renderServerProperties,
  standalone,
} from '../../../../dev/kafka/serverProperties';
import { silentLogger } from '../../../support/logger';

const pom = readFileSync(join(__dirname, '../../../../dev/kafka/pom.xml'), 'utf8');

describe('the version of Java', () => {
  it.each([
    ['openjdk version "17.0.15" 2025-04-15', 17],
    ['openjdk version "25" 2025-09-16', 25],
    ['java version "1.8.0_392"', 8],
    ['nonsense', undefined],
  ])('in %s is %s', (output, version) => {
    expect(readJavaVersion(output)).toBe(version);
  });

  it('that is not there is reported with the place where it was looked for', async () => {
    expect(await findJava({ JAVA_HOME: '/nowhere' })).toEqual({
      missing: expect.stringContaining('/nowhere/bin/java') as string,
    });
  });
});

describe('the configuration of the broker', () => {
  const properties = {
    brokerPort: 9,
    controllerPort: 10,
    logDirectory: '/tmp/kafka',
    settings: standalone(10),
  };

  it('keeps everything on loopback and creates no topics by itself', () => {
    const lines = renderServerProperties(properties).split('\n');
    expect(lines).toContain('listeners=CLIENT://127.0.0.1:9,CONTROLLER://127.0.0.1:10');
    expect(lines).toContain('advertised.listeners=CLIENT://127.0.0.1:9');
    expect(lines).toContain('auto.create.topics.enable=false');
  });

  it('can be overridden, each setting once', () => {
    const text = renderServerProperties({
      ...properties,
      settings: { ...properties.settings, 'auto.create.topics.enable': 'true' },
    });
    expect(text.match(/^auto\.create\.topics\.enable=.*$/gm)).toEqual(['auto.create.topics.enable=true']);
  });

  it('tells the next start which port the controller was given', () => {
    expect(readControllerPort(renderServerProperties(properties))).toBe(10);
    expect(readControllerPort('')).toBeUndefined();
  });

  it('of a cluster keeps groups and topics on every broker', () => {
    expect(clusterOf(3)).toMatchObject({
      'offsets.topic.replication.factor': '3',
      'default.replication.factor': '3',
    });
  });

  it('reaches the container as variables', () => {
    const flags = environmentFlags(30_000);
    expect(flags).toContain('KAFKA_ADVERTISED_LISTENERS=CLIENT://127.0.0.1:30000');
    expect(flags).toContain('KAFKA_AUTO_CREATE_TOPICS_ENABLE=false');
    expect(flags.filter((flag) => flag === '--env')).toHaveLength(flags.length / 2);
  });
});

it('the image and the jars are of one version', () => {
  const version = /<kafka.version>(.*)<\/kafka.version>/.exec(pom)?.[1];
  expect(image).toBe(`apache/kafka:${version}`);
});

describe('looking for a Kafka', () => {
  const surroundings = { dataDir: '/nowhere', logger: silentLogger(), onProcess: async () => undefined };
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  it('takes the one that the environment names, and starts nothing', async () => {
    const env = { KAFKA_BOOTSTRAP_SERVERS: 'kafka.example:9092' };
    const broker = await findBroker({ ...surroundings, env });
    expect(broker.addresses).toBe('kafka.example:9092');
    expect(broker.description).toContain('KAFKA_BOOTSTRAP_SERVERS');
    await broker.stop();
  });

  it('in vain lists everything that was looked for, in order', async () => {
    process.env['PATH'] = '/nowhere';
    const search = findBroker({
      ...surroundings,
      env: { KAFKA_HOME: '/nowhere/kafka', JAVA_HOME: '/nowhere/java' },
    });
    await expect(search).rejects.toThrow(
      /KAFKA_BOOTSTRAP_SERVERS.*\n- Docker.*\n- .*KAFKA_HOME.*\n- Java 17 or newer/,
    );
  });
});
