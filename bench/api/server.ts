/** The API with a client of our choice, in a process of its own; it ends when the channel to its parent closes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '../../src/api/app';
import type { Database } from '../../src/api/database';
import { createCapturedClient } from '../../src/healthcore/capturedClient';
import { createPrismaClient } from '../../src/healthcore/createPrismaClient';
import { createLogger } from '../../src/shared/logger';
import { createMetrics } from '../../src/shared/metrics';

const [capture = '', databaseUrl = ''] = process.argv.slice(2);
const logger = createLogger({ level: 'error', name: 'bench' });

async function clientOf(): Promise<Database> {
  const database = { databaseUrl, logger, poolSize: 10, applicationName: 'bench-api' };
  if (capture === 'middleware' || capture === 'trigger') {
    return createCapturedClient(capture, database, { source: 'bench', logger });
  }
  // The API uses nothing of the captured client but the models and transactions that Prisma's own has too.
  return createPrismaClient({ ...database, comments: [] }) as unknown as Database;
}

async function main(): Promise<void> {
  const app = createApp({
    prisma: await clientOf(),
    logger,
    metrics: createMetrics('api'),
    readiness: [],
    bodyLimitBytes: 100_000,
    requestTimeoutMs: 15_000,
  });
  const server = createServer(app);
  server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port));
}

process.on('disconnect', () => process.exit());
void main();
