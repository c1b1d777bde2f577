/**
 * `npm run bench -- api`: what a request pays for events. Its latency with Kafka up and with Kafka down, and the
 * throughput of the API with capture against the same API whose Prisma client captures nothing.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { postWatchman } from '../../dev/kafka/watchman';
import { startPostgres } from '../../dev/postgres/startPostgres';
import { catalogue } from '../../src/healthcore/catalogue';
import { generate } from '../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../src/outbox/prisma/schema/tables';
import { createLogger } from '../../src/shared/logger';
import { migrate } from '../../src/shared/migrate/migrate';
import { type Capture, measureCapture } from './captureCost';
import { measureOutage } from './kafkaOutage';
import { figures, tables } from './report';

const logger = createLogger({ level: 'error', name: 'bench' });

export interface ApiBenchmarkOptions {
  /** Rounds of which the median is taken; 5, or 1 when quick. */
  readonly rounds?: number;
  /** A second or two for each variant: shows that it runs, not how fast. */
  readonly quick?: boolean;
  /** Nothing but the figures, as one line of JSON. */
  readonly json?: boolean;
}

/** Runs both parts; prints tables, and last one JSON object with the figures. */
export async function benchmarkApi({
  quick = false,
  rounds = quick ? 1 : 5,
  json = false,
}: ApiBenchmarkOptions): Promise<void> {
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-bench-'));
  const dismissWatchman = await postWatchman(directory);
  const settings = { fsync: 'off', full_page_writes: 'off', max_wal_size: '4GB' };
  const dataDir = path.join(directory, 'postgres');
  const postgres = await startPostgres({ dataDir, port: 0, logger, settings });
  try {
    const databases: Record<Capture, string> = {
      none: await prepareDatabase(postgres.url, 'none'),
      middleware: await prepareDatabase(postgres.url, 'middleware'),
      trigger: await prepareDatabase(postgres.url, 'trigger'),
    };
    const capture = await measureCapture({ databases, rounds, durationMs: quick ? 500 : 4_000 });
    const databaseUrl = await prepareDatabase(postgres.url, 'outage');
    const outage = await measureOutage({ directory, databaseUrl, rounds, durationMs: quick ? 1_000 : 8_000 });
    if (!json) process.stdout.write(`${tables(outage, capture)}\n`);
    process.stdout.write(`${JSON.stringify({ name: 'api', figures: figures(outage, capture) })}\n`);
  } finally {
    await postgres.stop();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    await dismissWatchman();
  }
}

/** A database with all migrations. Only that of the trigger engine keeps the triggers, which cost others a little. */
async function prepareDatabase(serverUrl: string, purpose: Capture | 'outage'): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/bench_${purpose}`;
  await query(serverUrl, `CREATE DATABASE bench_${purpose}`);
  await migrate({ databaseUrl: url.href, directory: path.resolve('prisma/migrations'), logger });
  if (purpose === 'none' || purpose === 'middleware') {
    const { triggers } = generate(
      catalogue.aggregates,
      readTables(await readFile('prisma/schema.prisma', 'utf8')),
    );
    const drops = triggers.map(
      ({ functionName }) => `DROP FUNCTION IF EXISTS signalbox."${functionName}"() CASCADE`,
    );
    await query(url.href, drops.join(';'));
  }
  return url.href;
}

async function query(databaseUrl: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
