/**
 * `npm run bench -- consume`: messages per second from a full topic into a table, through the runner with its inbox,
 * against kafkajs consumers as people write them, which insert the same row and keep none of the runner's promises.
 *
 * Each variant runs in a process of its own; broker and Postgres are the same for all. Rounds are interleaved, in
 * turning order. Postgres runs without fsync unless it is asked to be durable: a disk that has to be waited for at each
 * commit favours whoever commits less often, which is the runner.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { postWatchman, registerProcess } from '../../dev/kafka/watchman';
import { startDevBroker } from '../../dev/broker/broker';
import { findBroker } from '../../dev/kafka/findBroker';
import { startPostgres } from '../../dev/postgres/startPostgres';
import { createKafka } from '../../src/kafka/kafkajs/client';
import { createLogger } from '../../src/shared/logger';
import { migrate } from '../../src/shared/migrate/migrate';
import { fillTopic } from './fillTopic';
import { measure, type Round } from './measure';
import { figures, type Rounds, table } from './report';
import { variants } from './variants';

const logger = createLogger({ level: 'error', name: 'bench' });
const topicPrefix = 'bench';

export interface ConsumeBenchmarkOptions {
  /** Rounds of which the median is taken; 5, or 1 when quick. */
  readonly rounds?: number;
  /** A second or two for each variant: shows that it runs, not how fast. */
  readonly quick?: boolean;
  /** Nothing but the figures, as one line of JSON. */
  readonly json?: boolean;
  /** A real Apache Kafka, found as `npm run test:kafka` finds it, in place of the dev broker. */
  readonly kafka?: boolean;
  /** Postgres waits for its disk at each commit. */
  readonly durable?: boolean;
}

interface Stoppable {
  stop(): Promise<unknown>;
}

/** Runs all variants; prints a table, and last one JSON object with the figures. */
export async function benchmarkConsume(options: ConsumeBenchmarkOptions): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-bench-'));
  const dismissWatchman = await postWatchman(directory);
  const servers: Stoppable[] = [];
  try {
    const databaseUrl = await prepareDatabase(directory, options, servers);
    const brokers = await startBroker(directory, options, servers);
    const messages = options.quick ? 4_000 : 60_000;
    const kafka = createKafka(
      { KAFKA_BOOTSTRAP_SERVERS: brokers, KAFKA_CLIENT_ID: 'bench', KAFKA_SSL: false },
      logger,
    );
    await fillTopic(kafka, topicPrefix, messages);
    const sql = new Client({ connectionString: databaseUrl });
    await sql.connect();
    servers.push({ stop: () => sql.end() });
    const cpuMs = options.quick ? 800 : 6_000;
    const rounds = await runRounds({ databaseUrl, brokers, topicPrefix, sql, messages, cpuMs }, options);
    if (!options.json) process.stdout.write(`${table(rounds)}\n`);
    process.stdout.write(`${JSON.stringify({ name: 'consume', figures: figures(rounds) })}\n`);
  } finally {
    for (const server of servers.reverse()) await server.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    await dismissWatchman();
  }
}

async function runRounds(
  round: Round,
  { quick, rounds = quick ? 1 : 5 }: ConsumeBenchmarkOptions,
): Promise<Rounds> {
  const names = Object.keys(variants);
  const results: Rounds = new Map(names.map((name) => [name, []]));
  for (let turn = 0; turn < rounds; turn += 1) {
    const first = turn % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      results.get(name)?.push(await measure(name, round));
    }
  }
  return results;
}

async function prepareDatabase(
  directory: string,
  { durable = false }: ConsumeBenchmarkOptions,
  servers: Stoppable[],
): Promise<string> {
  const postgres = await startPostgres({
    dataDir: path.join(directory, 'postgres'),
    port: 0,
    logger,
    settings: { max_wal_size: '4GB', ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }) },
  });
  servers.push(postgres);
  await migrate({ databaseUrl: postgres.url, directory: path.resolve('prisma/migrations'), logger });
  return postgres.url;
}

async function startBroker(
  directory: string,
  { kafka = false }: ConsumeBenchmarkOptions,
  servers: Stoppable[],
): Promise<string[]> {
  const dataDir = path.join(directory, 'broker');
  if (!kafka) {
    const broker = await startDevBroker({ port: 0, dataDir, logger });
    servers.push(broker);
    return [broker.address];
  }
  const onProcess = (pid: number): Promise<unknown> => registerProcess(directory, pid);
  const broker = await findBroker({ env: process.env, dataDir, logger, onProcess });
  servers.push(broker);
  return broker.addresses.split(',');
}
