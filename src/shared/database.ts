import { Pool, type PoolConfig } from 'pg';
import { PrismaClient } from '../generated/prisma/client';
import { type DatabaseAddress, parseDatabaseUrl } from './connections/databaseUrl';
import { type ConnectionOptions, type Session, sessionOf } from './connections/session';
import { SessionClient } from './connections/sessionClient';
import { superviseConnections } from './connections/supervise';
import { FencedPrismaPg } from './fencedPrismaPg';
import type { Logger } from './logger';
import { markedComments, type StatementComments } from './statementComments';
import { preparingClient } from './statements/preparingClient';

/*
 * Where every connection to the database is made: single ones, pools for plain SQL, and Prisma's. What DATABASE_URL may
 * say is in connections/urlParameters.ts, how a connection begins in connections/session.ts.
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

const brokeWhileIdle = 'an idle database connection broke';

export interface AdapterOptions extends DatabaseOptions {
  /**
   * Whether statements that come again and again are prepared, each once in a connection; true by default. A pooler
   * that gives out connections in turn must know how to keep prepared statements (PgBouncer: from 1.21 on), and
   * `pgbouncer=true` or `statement_cache_size=0` in DATABASE_URL says that it does not.
   */
  readonly preparedStatements?: boolean;
}

/** What a Prisma client needs to be captured: transactions that are fenced, and statements that may be prepared. */
export function createAdapter(options: AdapterOptions): FencedPrismaPg {
  const { logger, preparedStatements = true } = options;
  const { parameters } = parseDatabaseUrl(options.databaseUrl);
  const { pgbouncer, schema, statement_cache_size: most } = parameters;
  const session = sessionOf(options);
  const prepares = preparedStatements && !pgbouncer && most !== 0;
  const onLost = (error: Error): void => logger.warn({ err: error }, lostStatement);
  const config = {
    max: parameters.connection_limit ?? options.poolSize,
    ...poolLimits(parameters, options),
    Client: prepares ? preparingClient({ session, most, onLost }) : clientOf(session),
  };
  const onPoolError = (error: Error): void => logger.warn({ err: error }, brokeWhileIdle);
  return new FencedPrismaPg(config, { onPoolError, ...(schema !== undefined && { schema }) });
}

const lostStatement =
  'the database has lost a prepared statement, so none are used any more: ' +
  'set DATABASE_PREPARED_STATEMENTS=false, or let the pooler keep them';

function clientOf(session: Session): new () => SessionClient {
  return class extends SessionClient {
    constructor() {
      super(session);
    }
  };
}

/** pg takes the wait for a connection and the making of a new one together. */
function poolLimits(
  parameters: DatabaseAddress['parameters'],
  { acquireTimeoutMs }: DatabaseOptions,
): PoolConfig {
  const { max_idle_connection_lifetime: idleMs, max_connection_lifetime: lifetimeMs } = parameters;
  const waitMs = parameters.pool_timeout ?? acquireTimeoutMs;
  return {
    ...(waitMs !== undefined && { connectionTimeoutMillis: waitMs }),
    ...(idleMs !== undefined && { idleTimeoutMillis: idleMs }),
    ...(lifetimeMs !== undefined && { maxLifetimeSeconds: lifetimeMs / 1_000 }),
  };
}

export interface PrismaClientOptions extends AdapterOptions {
  /**
   * What is added to each statement. By default the mark of the middleware engine, for this client is the base that
   * `withCapture` extends. Pass `contextComments` for the trigger engine, and none for a client whose writes only
   * triggers shall capture.
   */
  readonly comments?: readonly StatementComments[];
}

/** A Prisma client without capture: the base that `withCapture` extends. */
export function createPrismaClient({
  comments = [markedComments()],
  ...options
}: PrismaClientOptions): PrismaClient {
  return new PrismaClient({ adapter: createAdapter(options), comments: [...comments] });
}
