import { existsSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import { catalogue } from '../healthcore/catalogue';
import { createCapturedClient } from '../healthcore/capturedClient';
import {
  captureVariables,
  commonVariables,
  createMetrics,
  loadConfig,
  type Logger,
  Nudger,
  observeOutbox,
  parseDatabaseUrl,
  pendingMigrations,
  runProgram,
  runUntilSignal,
  serverVariables,
  type Service,
  UserError,
  warnOfUnknown,
} from 'signalbox/service';
import { triggerInspector, TriggerWatch } from 'signalbox/prisma';
import { createApp } from './app';
import { readinessChecks } from './readiness';
import { ApiServer } from './server';
import { timeLimits } from './timeLimits';
import { apiVariables } from './variables';

const variables = { ...commonVariables, ...serverVariables, ...captureVariables, ...apiVariables };
const readinessTimeoutMs = 2_000;
const drainMs = 7_000;
const defaultPoolSize = 10;

async function main(logger: Logger): Promise<number> {
  warnOfUnknown(logger, process.env);
  const config = loadConfig(variables, process.env);
  const databaseUrl = config.DATABASE_URL;
  const { connection_limit: limitOfUrl } = parseDatabaseUrl(databaseUrl).parameters;
  const poolSize = limitOfUrl ?? config.DATABASE_POOL_SIZE ?? defaultPoolSize;
  const nudger = new Nudger({ databaseUrl, intervalMs: config.OUTBOX_NUDGE_INTERVAL_MS, logger });
  const prisma = await createCapturedClient(
    config.OUTBOX_CAPTURE,
    {
      databaseUrl,
      poolSize,
      preparedStatements: config.DATABASE_PREPARED_STATEMENTS,
      applicationName: 'signalbox-api',
      ...timeLimits(config.API_REQUEST_TIMEOUT_MS),
      logger,
    },
    { source: config.SERVICE_NAME, logger, onCommitted: () => nudger.nudge() },
  );
  const metrics = createMetrics('api');
  observeOutbox(metrics, { query: async (sql) => ({ rows: await prisma.$queryRawUnsafe(sql) }) }, logger);
  const triggers = new TriggerWatch({
    engine: config.OUTBOX_CAPTURE,
    inspect: triggerInspector(prisma, catalogue),
    registry: metrics,
    logger,
  });
  const app = createApp({
    prisma,
    logger,
    metrics,
    bodyLimitBytes: config.API_BODY_LIMIT_BYTES,
    requestTimeoutMs: config.API_REQUEST_TIMEOUT_MS,
    poolSize,
    waitingRequests: config.API_WAITING_REQUESTS,
    readiness: [
      ...readinessChecks({
        ping: () => prisma.$queryRaw`SELECT 1`,
        pendingMigrations: () => pendingMigrations({ databaseUrl, directory: migrationsDirectory() }),
        timeoutMs: readinessTimeoutMs,
      }),
      triggers.readiness,
    ],
  });
  const server = new ApiServer({
    app,
    host: config.HOST,
    port: config.PORT,
    requestTimeoutMs: config.API_REQUEST_TIMEOUT_MS,
    drainMs,
    logger,
  });
  const database: Service = {
    name: 'database',
    start: async () => undefined,
    stop: () => prisma.$disconnect(),
  };
  return runUntilSignal({ logger, services: [database, nudger, triggers, server] });
}

/** prisma/migrations of this package, whether this runs from the sources or from dist/. */
function migrationsDirectory(): string {
  for (let directory = __dirname; ; directory = path.dirname(directory)) {
    const migrations = path.join(directory, 'prisma', 'migrations');
    if (existsSync(migrations)) return migrations;
    if (directory === path.dirname(directory)) throw new UserError('prisma/migrations is missing.');
  }
}

new Command('npm run api --')
  .description('The HealthCore REST API. Environment variables configure it.')
  .allowExcessArguments(false)
  .parse();
void runProgram('api', process.env, main);
