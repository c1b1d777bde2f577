import { Pool } from 'pg';
import { PrismaClient } from '../generated/prisma/client';
import { FencedPrismaPg } from './fencedPrismaPg';
import type { Logger } from './logger';
import { markedComments, type StatementComments } from './statementComments';
import { preparingClient } from './statements/preparingClient';

export interface DatabaseOptions {
  databaseUrl: string;
  /** Most connections held at a time. */
  poolSize: number;
  /** Shown in pg_stat_activity. */
  applicationName: string;
  logger: Logger;
}

/** A pool for plain SQL. A connection that breaks while idle is logged and replaced, not thrown. */
export function createPool({ databaseUrl, poolSize, applicationName, logger }: DatabaseOptions): Pool {
  const pool = new Pool({ connectionString: databaseUrl, max: poolSize, application_name: applicationName });
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle database connection broke'));
  outliveBrokenConnections(pool);
  return pool;
}

/**
 * A pool watches over its idle connections only. One that breaks while it is checked out says so by an event that
 * nobody hears, which ends the program; whoever uses it learns of it all the same, by a statement that fails.
 */
export function outliveBrokenConnections(pool: Pool): void {
  pool.on('connect', (client) => client.on('error', () => undefined));
}

export interface AdapterOptions extends DatabaseOptions {
  /**
   * Whether statements that come again and again are prepared, each once in a connection; true by default. A pooler
   * that gives out connections in turn must know how to keep prepared statements (PgBouncer: from 1.21 on).
   */
  preparedStatements?: boolean;
}

/** What a Prisma client needs to be captured: transactions that are fenced, and statements that may be prepared. */
export function createAdapter({
  databaseUrl,
  poolSize,
  applicationName,
  logger,
  preparedStatements = true,
}: AdapterOptions): FencedPrismaPg {
  const onLost = (error: Error): void => logger.warn({ err: error }, lostStatement);
  const config = {
    connectionString: databaseUrl,
    max: poolSize,
    application_name: applicationName,
    ...(preparedStatements && { Client: preparingClient({ onLost }) }),
  };
  const onPoolError = (error: Error): void =>
    logger.warn({ err: error }, 'an idle database connection broke');
  return new FencedPrismaPg(config, { onPoolError });
}

const lostStatement =
  'the database has lost a prepared statement, so none are used any more: ' +
  'set DATABASE_PREPARED_STATEMENTS=false, or let the pooler keep them';

export interface PrismaClientOptions extends AdapterOptions {
  /**
   * What is added to each statement. By default the mark of the middleware engine, for this client is the base that
   * `withCapture` extends. Pass `contextComments` for the trigger engine, and none for a client whose writes only
   * triggers shall capture.
   */
  comments?: readonly StatementComments[];
}

/** A Prisma client without capture: the base that `withCapture` extends. */
export function createPrismaClient({
  comments = [markedComments()],
  ...options
}: PrismaClientOptions): PrismaClient {
  return new PrismaClient({ adapter: createAdapter(options), comments: [...comments] });
}
