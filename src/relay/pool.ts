import type { Pool } from 'pg';
import { createPool } from '../shared/database';
import type { Logger } from '../shared/logger';

/** Reading, settling, renewing, deleting, and one to spare for metrics and readiness. */
const connections = 5;
const connectTimeoutMs = 5_000;

/**
 * The relay's connections. A statement that is not answered in time fails, and its connection is dropped: a network
 * that swallows packets must not hold a relay for the quarter of an hour that TCP takes to notice.
 */
export function createRelayPool(databaseUrl: string, queryTimeoutMs: number, logger: Logger): Pool {
  return createPool({
    databaseUrl,
    poolSize: connections,
    applicationName: 'signalbox-relay',
    acquireTimeoutMs: connectTimeoutMs,
    connectTimeoutMs,
    queryTimeoutMs,
    logger,
  });
}
