import { parseDatabaseUrl } from '../../../shared/connections/databaseUrl';
import { clientOf, poolLimits } from '../../../shared/connections/poolConfig';
import { sessionOf } from '../../../shared/connections/session';
import { brokeWhileIdle, type DatabaseOptions } from '../../../shared/database';
import { FencedPrismaPg } from './fencedPrismaPg';
import { preparingClient } from './statements/preparingClient';

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
