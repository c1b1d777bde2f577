import type { ClientConfig } from 'pg';
import { type Host, parseDatabaseUrl } from './databaseUrl';
import type { UrlParameters } from './urlParameters';

/** How a connection is made. All times in milliseconds. A time that DATABASE_URL sets, too, counts before `connectTimeoutMs`. */
export interface ConnectionOptions {
  readonly databaseUrl: string;
  /** Shown in pg_stat_activity, unless DATABASE_URL has an `application_name`. */
  readonly applicationName: string;
  /** Longest time until a server has let us in; 10 s by default, 0 for no limit. */
  readonly connectTimeoutMs?: number;
  /**
   * Longest time that a statement may run before the server cancels it (SQLSTATE 57014). With `pgbouncer=true`, where
   * a session can have no settings, the client stops waiting instead and drops the connection.
   */
  readonly statementTimeoutMs?: number;
  /** Longest time that a transaction may wait for its next statement before the server ends its connection (25P03). */
  readonly idleInTransactionTimeoutMs?: number;
  /** Longest time that the client waits for the answer to a statement; then the connection is dropped. */
  readonly queryTimeoutMs?: number;
}

/** What every connection of a pool, or a single one, begins with. */
export interface Session {
  readonly config: ClientConfig;
  /** Settings that go to the server in the first message. A pooler knows them, unlike those of a SET. */
  readonly startup: Readonly<Record<string, string>>;
  readonly hosts: readonly Host[];
  readonly accepts: UrlParameters['target_session_attrs'];
  readonly channelBinding: NonNullable<UrlParameters['channel_binding']>;
}

const defaultConnectTimeoutMs = 10_000;

/**
 * Prisma's adapter sends and reads instants without an offset, so a session in another time zone than UTC shifts what
 * it stores and returns; and it reads dates in ISO form. Databases and roles may have other defaults. PgBouncer keeps
 * both settings for each of its clients, in every mode.
 */
export const pinned = { TimeZone: 'UTC', DateStyle: 'ISO, MDY' } as const;

/** @throws DatabaseUrlError */
export function sessionOf(options: ConnectionOptions): Session {
  const { hosts, user, password, database, tls, parameters } = parseDatabaseUrl(options.databaseUrl);
  const { pgbouncer, schema } = parameters;
  const statementTimeoutMs = least(parameters.statement_timeout, options.statementTimeoutMs);
  const idleTimeoutMs = least(
    parameters.idle_in_transaction_session_timeout,
    options.idleInTransactionTimeoutMs,
  );
  const answerTimeoutMs = pgbouncer
    ? least(parameters.socket_timeout, options.queryTimeoutMs, statementTimeoutMs)
    : least(parameters.socket_timeout, options.queryTimeoutMs);
  const config: ClientConfig = {
    ...hosts[0],
    user,
    database,
    // A function, so that printing the configuration does not show it.
    ...(password !== undefined && { password: () => password }),
    ...(tls !== undefined && { ssl: tls }),
    ...(parameters.sslnegotiation && { sslnegotiation: parameters.sslnegotiation }),
    enableChannelBinding: (parameters.channel_binding ?? 'disable') !== 'disable',
    application_name: parameters.application_name ?? options.applicationName,
    options: parameters.options,
    keepAlive: true,
    connectionTimeoutMillis:
      parameters.connect_timeout ?? options.connectTimeoutMs ?? defaultConnectTimeoutMs,
    ...(answerTimeoutMs !== undefined && { query_timeout: answerTimeoutMs }),
  };
  const timeouts = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: parameters.lock_timeout,
    idle_in_transaction_session_timeout: idleTimeoutMs,
  };
  const startup: Record<string, string> = { ...pinned };
  if (!pgbouncer) {
    for (const [name, value] of Object.entries(timeouts))
      if (value !== undefined) startup[name] = String(value);
    if (schema !== undefined) startup['search_path'] = `"${schema.replaceAll('"', '""')}"`;
  }
  return {
    config,
    startup,
    hosts,
    accepts: parameters.target_session_attrs,
    channelBinding: parameters.channel_binding ?? 'disable',
  };
}

/** The least of the limits that are set; 0 sets none. */
function least(...limits: readonly (number | undefined)[]): number | undefined {
  const set = limits.filter((limit) => limit !== undefined && limit > 0) as number[];
  return set.length === 0 ? undefined : Math.min(...set);
}
