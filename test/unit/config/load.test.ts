import { ConfigError, loadConfig, unknownVariables } from '../../../src/shared/config/load';
import {
  allVariables,
  commonVariables,
  kafkaVariables,
  relayVariables,
} from '../../../src/shared/config/variables';

function problemsOf(load: () => unknown): readonly string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error('The configuration was accepted.');
}

const databaseUrl = 'postgresql://app:s3cret@db.example:5432/app';

describe('loading the configuration', () => {
  it('applies defaults and turns text into values', () => {
    const config = loadConfig(
      { ...commonVariables, ...kafkaVariables, ...relayVariables },
      {
        DATABASE_URL: databaseUrl,
        KAFKA_BOOTSTRAP_SERVERS: 'one:9092, [::1]:9093',
        KAFKA_ENABLED: 'False',
        RELAY_PAGE_SIZE: '250',
      },
    );
    expect(config.KAFKA_BOOTSTRAP_SERVERS).toEqual(['one:9092', '[::1]:9093']);
    expect(config.KAFKA_ENABLED).toBe(false);
    expect(config.RELAY_PAGE_SIZE).toBe(250);
    expect(config.KAFKA_TOPIC_PREFIX).toBe('signalbox');
    expect(config.RELAY_PORT).toBe(8001);
    expect(config.KAFKA_SASL_MECHANISM).toBeUndefined();
  });

  it('reports all problems at once, each with the variable, its value and what is expected', () => {
    const problems = problemsOf(() =>
      loadConfig(allVariables, {
        KAFKA_BOOTSTRAP_SERVERS: 'localhost',
        RELAY_PORT: '99999',
        LOG_LEVEL: 'loud',
        KAFKA_ENABLED: 'perhaps',
        RELAY_POLL_INTERVAL_MS: '1.5',
      }),
    );
    expect(problems).toHaveLength(6);
    expect(problems).toEqual(
      expect.arrayContaining([
        'DATABASE_URL is not set: The Postgres database that holds the models and the outbox',
        expect.stringMatching(/^KAFKA_BOOTSTRAP_SERVERS="localhost": expected host:port/),
        expect.stringMatching(/^RELAY_PORT="99999": .*65535/),
        expect.stringMatching(/^LOG_LEVEL="loud": .*"debug"/),
        expect.stringMatching(/^KAFKA_ENABLED="perhaps": .*"true"/),
        expect.stringMatching(/^RELAY_POLL_INTERVAL_MS="1.5": /),
      ]),
    );
  });

  it('says how many problems there are', () => {
    expect(() => loadConfig(commonVariables, {})).toThrow(
      /^The configuration has 1 problem:\n {2}DATABASE_URL/,
    );
    expect(() => loadConfig(commonVariables, { LOG_LEVEL: 'x' })).toThrow(
      /^The configuration has 2 problems:/,
    );
  });

  it('never shows a secret, not even a wrong one', () => {
    const problems = problemsOf(() =>
      loadConfig(allVariables, {
        DATABASE_URL: 'mysql://app:s3cret@db.example/app',
        KAFKA_BOOTSTRAP_SERVERS: 'one:9092',
      }),
    );
    expect(problems).toEqual([
      expect.stringContaining(
        'DATABASE_URL: expected postgresql://user:password@host:port/database; characters',
      ),
    ]);
  });

  it('takes an empty value for none', () => {
    expect(problemsOf(() => loadConfig(commonVariables, { DATABASE_URL: '' }))).toEqual([
      expect.stringMatching(/^DATABASE_URL is not set/),
    ]);
    const config = loadConfig(commonVariables, { DATABASE_URL: databaseUrl, LOG_LEVEL: '' });
    expect(config.LOG_LEVEL).toBe('info');
  });

  it('reads nothing that the program did not ask for', () => {
    const config = loadConfig(
      { RELAY_PORT: relayVariables.RELAY_PORT },
      { PORT: 'x', DATABASE_URL: databaseUrl },
    );
    expect(config).toEqual({ RELAY_PORT: 8001 });
  });
});

describe('variables that nobody knows', () => {
  it('are named when they look like ours', () => {
    expect(
      unknownVariables({
        KAFKA_TOPIC_PREFX: 'a',
        OUTBOX_CAPTURES: 'b',
        RELAY_PORTS: '1',
        KAFKA_TOPIC_PREFIX: 'a',
      }),
    ).toEqual(['KAFKA_TOPIC_PREFX', 'OUTBOX_CAPTURES', 'RELAY_PORTS']);
  });

  it('are left alone when they belong to others', () => {
    expect(unknownVariables({ PATH: '/bin', HOME: '/root', KAFKAESQUE: '1', PORT: '1' })).toEqual([]);
  });
});
