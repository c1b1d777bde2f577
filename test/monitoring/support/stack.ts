/** Everything that Prometheus is to watch: the three programs, a real broker with JMX, Postgres, and their exporters. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { RealKafka } from '../../../dev/kafka/kafkaNode';
import { startRealKafka } from '../../../dev/kafka/startRealKafka';
import { registerProcess } from '../../../dev/kafka/watchman';
import { findProgram } from '../../../dev/monitoring/debian';
import { deployDirectory } from '../../../dev/monitoring/expressions';
import { fetchJmxExporter, jmxFlags } from '../../../dev/monitoring/jmxExporter';
import { findFreePort } from '../../../dev/postgres/ports';
import { type Part, startPart, type SystemOptions, waitUntilReady } from '../../e2e/support/system';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { fromSetup, variables } from '../../support/environment';
import { silentLogger } from '../../support/logger';
import { type RunningProgram, spawnProcess, spawnSignalbox } from '../../support/process';
import { type Prometheus, startPrometheus } from './prometheus';

export interface Stack {
  readonly database: TestDatabase;
  readonly kafka: RealKafka;
  /** The data directory of the broker. */
  readonly kafkaDirectory: string;
  readonly api: Part;
  relay: Part;
  readonly consumers: Part;
  readonly postgresExporter: RunningProgram;
  readonly prometheus: Prometheus;
  readonly topicPrefix: string;
  /** Kills the relay; `startRelay` starts another at the same port. */
  startRelay(): Promise<void>;
  /** Runs a command of `signalbox ops`, and fails when that fails. */
  readonly ops: (...args: string[]) => Promise<string>;
  stop(): Promise<void>;
}

const patience = { RELAY_LEASE_MS: '2000', RELAY_RETRY_MAX_MS: '1000', CONSUMER_RETRY_MAX_MS: '1000' };
const strait = { API_REQUEST_TIMEOUT_MS: '3000', DATABASE_POOL_SIZE: '3', API_WAITING_REQUESTS: '4' };

/** Starts all of it; resolves when every program is ready. */
export async function startStack(): Promise<Stack> {
  const directory = path.join(fromSetup(variables.directory), 'monitoring');
  await mkdir(directory);
  const jmxPort = await findFreePort();
  const [database, kafka] = await Promise.all([createTestDatabase(), startKafka(directory, jmxPort)]);
  process.env[variables.kafkaBrokers] = kafka.address;
  const topicPrefix = 'monitored';
  const system: SystemOptions = {
    databaseUrl: database.url,
    brokers: kafka.address,
    topicPrefix,
    env: { KAFKA_CREATE_TOPICS: 'false', ...patience },
  };
  const ops = async (...args: string[]): Promise<string> => {
    const env = {
      DATABASE_URL: database.url,
      KAFKA_BOOTSTRAP_SERVERS: kafka.address,
      KAFKA_TOPIC_PREFIX: topicPrefix,
      CONSUMER_GROUP_PREFIX: topicPrefix,
    };
    const program = await spawnSignalbox('ops', { args, env });
    const { code } = await program.exited;
    if (code !== 0) throw new Error(`ops ${args.join(' ')} ended with ${code}:\n${program.output()}`);
    return program.output();
  };
  await ops('topics', 'create');
  const relayPort = String(await findFreePort());
  const startRelay = async (): Promise<Part> => {
    const relay = await startPart('relay', 'OTHER_PORT', {
      ...system,
      env: { ...system.env, RELAY_PORT: relayPort, RELAY_INSTANCE: 'monitored' },
    });
    return { ...relay, url: `http://127.0.0.1:${relayPort}` };
  };
  const [api, relay, consumers, jmx, postgres] = await Promise.all([
    startPart('api', 'PORT', { ...system, env: strait }),
    startRelay(),
    startPart('consumers', 'CONSUMERS_PORT', system),
    startJmxExporter(directory, jmxPort),
    startPostgresExporter(database.url),
  ]);
  await Promise.all([api, relay, consumers].map(waitUntilReady));
  const prometheus = await startPrometheus(path.join(directory, 'prometheus'), {
    api: hostOf(api),
    relay: hostOf(relay),
    consumers: hostOf(consumers),
    'kafka-jmx': jmx.address,
    'postgres-exporter': postgres.address,
  });
  const stack: Stack = {
    database,
    kafka,
    kafkaDirectory: path.join(directory, 'kafka'),
    api,
    relay,
    consumers,
    postgresExporter: postgres.program,
    prometheus,
    topicPrefix,
    ops,
    startRelay: async () => {
      stack.relay = await startRelay();
      await waitUntilReady(stack.relay);
    },
    stop: async () => {
      const programs = [api.program, stack.relay.program, consumers.program, jmx.program, postgres.program];
      await Promise.all([prometheus.stop(), ...programs.map((program) => program.kill('SIGTERM'))]);
      await kafka.kill();
      await database.drop();
    },
  };
  return stack;
}

const hostOf = ({ url }: Part): string => url.replace('http://', '');

async function startKafka(directory: string, jmxPort: number): Promise<RealKafka> {
  return startRealKafka({
    port: 0,
    dataDir: path.join(directory, 'kafka'),
    logger: silentLogger(),
    jvmFlags: jmxFlags(jmxPort),
    onProcess: (pid) => registerProcess(fromSetup(variables.directory), pid),
  });
}

interface Exporter {
  readonly program: RunningProgram;
  readonly address: string;
}

/** With the configuration of deploy/, but for the broker's address. */
async function startJmxExporter(directory: string, jmxPort: number): Promise<Exporter> {
  const text = await readFile(path.join(deployDirectory, 'kafka-jmx/config.yml'), 'utf8');
  const file = path.join(directory, 'kafka-jmx.yml');
  await writeFile(file, text.replace('hostPort: kafka:9999', `hostPort: 127.0.0.1:${jmxPort}`));
  const address = `127.0.0.1:${await findFreePort()}`;
  const flags = ['-Xmx64m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const program = await spawnProcess({
    command: 'java',
    args: [...flags, '-jar', await fetchJmxExporter(), address, file],
  });
  return { program, address };
}

async function startPostgresExporter(databaseUrl: string): Promise<Exporter> {
  const address = `127.0.0.1:${await findFreePort()}`;
  const program = await spawnProcess({
    command: await findProgram('prometheus-postgres-exporter', 'prometheus-postgres-exporter'),
    args: [`--web.listen-address=${address}`, '--no-collector.bgwriter'],
    env: { DATA_SOURCE_NAME: `${databaseUrl}?sslmode=disable` },
  });
  return { program, address };
}

/** A patient that the API takes. */
export const newPatient = (): string =>
  JSON.stringify({ name: 'Monitored', email: `${randomUUID()}@example.com`, phone: '+1 555 0100' });
