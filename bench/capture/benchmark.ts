/**
 * `npm run bench -- capture`: what capture costs a write, against Prisma without any outbox, against what people write
 * by hand, and against Postgres without Prisma.
 *
 * Rounds are interleaved: each round runs every variant once, in turning order, so that whatever else the machine does
 * hits all of them. Each variant has a database of its own; all are on one server without fsync, whose waiting would
 * hide the cost of everything else.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client } from 'pg';
import { startPostgres } from '../../dev/postgres/startPostgres';
import { catalogue } from '../../src/healthcore/catalogue';
import { generate } from '../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../src/outbox/prisma/schema/tables';
import { createLogger } from '../../src/shared/logger';
import { migrate } from '../../src/shared/migrate/migrate';
import { Measurements, rate } from './measure';
import { figures, table } from './report';
import { scenarios } from './scenarios';
import type { Variant } from './variant';
import { recipes } from './variants';

const logger = createLogger({ level: 'error', name: 'bench' });

export interface CaptureBenchmarkOptions {
  /** Rounds of which the median is taken; 7, or 1 when quick. */
  readonly rounds?: number;
  /** A second or two for each scenario: shows that it runs, not how fast. */
  readonly quick?: boolean;
  /** Nothing but the figures, as one line of JSON. */
  readonly json?: boolean;
}

interface Options {
  readonly rounds: number;
  readonly durationMs: number;
  readonly bulk: number;
  readonly json: boolean;
}

function optionsOf({ rounds, quick = false, json = false }: CaptureBenchmarkOptions): Options {
  return {
    rounds: rounds ?? (quick ? 1 : 7),
    durationMs: quick ? 150 : 1_000,
    bulk: quick ? 500 : 5_000,
    json,
  };
}

async function prepareDatabase(serverUrl: string, index: number, triggers: boolean): Promise<string> {
  const url = new URL(serverUrl);
  url.pathname = `/bench_${index}`;
  await query(serverUrl, `CREATE DATABASE bench_${index}`);
  await migrate({ databaseUrl: url.toString(), directory: path.resolve('prisma/migrations'), logger });
  // Triggers may be among the migrations; a variant has them or has none.
  const { triggers: installed, sql } = generate(
    catalogue.aggregates,
    readTables(await readFile('prisma/schema.prisma', 'utf8')),
  );
  const drops = installed.map(
    ({ functionName }) => `DROP FUNCTION IF EXISTS signalbox."${functionName}"() CASCADE;`,
  );
  await query(url.toString(), triggers ? sql : drops.join('\n'));
  return url.toString();
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

async function measure(variants: readonly Variant[], options: Options): Promise<Measurements> {
  const measured = new Measurements();
  for (const scenario of scenarios(options.bulk)) {
    const operations: [Variant, (worker: number) => Promise<void>][] = [];
    for (const variant of variants) {
      const operation = await scenario.prepare(variant);
      if (!operation) continue;
      // Warm: connections open, plans and code compiled.
      await rate(scenario, operation, options.durationMs / 4);
      operations.push([variant, operation]);
    }
    for (let round = 0; round < options.rounds; round++) {
      const turned = [
        ...operations.slice(round % operations.length),
        ...operations.slice(0, round % operations.length),
      ];
      for (const [variant, operation] of turned)
        measured.add(scenario, variant, await rate(scenario, operation, options.durationMs));
    }
    const names = recipes.map(({ name }) => name);
    if (!options.json) process.stdout.write(`${table(scenario, names, measured)}\n`);
  }
  return measured;
}

/** Runs all scenarios; prints a table of each, and last one JSON object with the figures. */
export async function benchmarkCapture(wanted: CaptureBenchmarkOptions): Promise<void> {
  const options = optionsOf(wanted);
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-bench-'));
  const settings = { fsync: 'off', full_page_writes: 'off', autovacuum: 'off', max_wal_size: '4GB' };
  const postgres = await startPostgres({ dataDir: path.join(directory, 'data'), port: 0, logger, settings });
  const variants: Variant[] = [];
  try {
    for (const [index, recipe] of recipes.entries()) {
      const databaseUrl = await prepareDatabase(postgres.url, index, recipe.triggers);
      variants.push(await recipe.open({ databaseUrl, logger }));
    }
    const measured = await measure(variants, options);
    const result = { name: 'capture', figures: figures(scenarios(options.bulk), measured) };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  } finally {
    await Promise.all(variants.map((variant) => variant.close()));
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }
}
