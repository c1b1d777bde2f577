import { Pool } from 'pg';
import { parseDatabaseUrl } from './connections/databaseUrl';
import { clientOf, poolLimits } from './connections/poolConfig';
import { type ConnectionOptions, sessionOf } from './connections/session';
import { SessionClient } from './connections/sessionClient';
import { superviseConnections } from './connections/supervise';
import type { Logger } from './logger';

/*
 * Where connections for plain SQL are made: single ones and pools. Prisma's are made in outbox/prisma/adapter, from the
 * same parts. What DATABASE_URL may say is in connections/urlParameters.ts, how a connection begins in
 * connections/session.ts.
 */

export interface DatabaseOptions extends ConnectionOptions {
  /** Most connections held at a time. */
  readonly poolSize: number;
  /** Longest wait for a connection of the pool, in milliseconds; no limit by default. */
  readonly acquireTimeoutMs?: number;
  readonly logger: Logger;
}

/** A single connection, not yet connected. Its loss is an event "end", and an error of the statement that is under way. */
export function createConnection(options: ConnectionOptions): SessionClient {
  return new SessionClient(sessionOf(options));
}

/** A pool for plain SQL. A connection that breaks while idle is logged and replaced, not thrown. */
export function createPool(options: DatabaseOptions): Pool {
  const { poolSize, logger } = options;
  const { parameters } = parseDatabaseUrl(options.databaseUrl);
  const pool = new Pool({
    max: poolSize,
    ...poolLimits(parameters, options),
    Client: clientOf(sessionOf(options)),
  });
  pool.on('error', (error) => logger.warn({ err: error }, brokeWhileIdle));
  superviseConnections(pool);
  return pool;
}

/** What the log says of such a connection. */
export const brokeWhileIdle = 'an idle database connection broke';
