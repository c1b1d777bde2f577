import { Pool } from 'pg';
import { PrismaClient } from '../generated/prisma/client';
import { FencedPrismaPg } from './fencedPrismaPg';
import type { Logger } from './logger';
import { markedComments, type StatementComments } from './statementComments';

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

export interface PrismaClientOptions extends DatabaseOptions {
  /**
   * What is added to each statement. By default the mark of the middleware engine, for this client is the base that
   * `withCapture` extends. Pass `contextComments` for the trigger engine, and none for a client whose writes only
   * triggers shall capture.
   */
  comments?: readonly StatementComments[];
}

/** A Prisma client without capture: the base that `withCapture` extends. */
export function createPrismaClient({
  databaseUrl,
  poolSize,
  applicationName,
  logger,
  comments = [markedComments()],
}: PrismaClientOptions): PrismaClient {
  const adapter = new FencedPrismaPg(
    { connectionString: databaseUrl, max: poolSize, application_name: applicationName },
    { onPoolError: (error) => logger.warn({ err: error }, 'an idle database connection broke') },
  );
  return new PrismaClient({ adapter, comments: [...comments] });
}
