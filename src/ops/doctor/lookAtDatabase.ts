import type { Pool } from 'pg';
import { loadConfig } from '../../shared/config/load';
import { captureVariables, commonVariables } from '../../shared/config/variables';
import { describeDatabase } from '../../shared/connections/databaseUrl';
import { createPool } from '../../shared/database';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { isKafkaEnabled } from '../kafka';
import { databaseChecks } from './database';
import { type Check, fail, type Finding, ok, runChecks } from './finding';

/** The database, if it can be asked anything. */
export interface OpenedDatabase {
  /** Whether it answers; nothing when its address cannot be read, which is reported with the configuration. */
  readonly findings: readonly Finding[];
  readonly connection?: {
    readonly pool: Pool;
    readonly databaseUrl: string;
  };
  readonly close: () => Promise<unknown>;
}

/** Connects to the database that DATABASE_URL names, within the time of a check. */
export async function openDatabase({ environment, logger }: Tools): Promise<OpenedDatabase> {
  const { DATABASE_URL } = commonVariables;
  if (!DATABASE_URL.safeParse(environment['DATABASE_URL']).success) {
    return { findings: [], close: async () => undefined };
  }
  const { DATABASE_URL: databaseUrl } = loadConfig({ DATABASE_URL }, environment);
  const settings = { databaseUrl, applicationName: 'signalbox-doctor', logger };
  const pool = createPool({ ...settings, poolSize: 4 });
  const findings = await runChecks([reachable(pool, databaseUrl)]);
  const answers = findings.every(({ status }) => status === 'ok');
  return {
    findings,
    ...(answers ? { connection: { pool, databaseUrl } } : {}),
    close: () => pool.end(),
  };
}

/** Names host and database, never the password that the address may hold. */
function reachable(pool: Pool, databaseUrl: string): Check {
  const address = describeDatabase(databaseUrl);
  return {
    name: 'database',
    run: async () => {
      try {
        const { rows } = await pool.query<{ server_version: string }>('SHOW server_version');
        return [ok('database', `${address} answers; Postgres ${rows[0]?.server_version ?? ''}`)];
      } catch (error) {
        if (error instanceof UserError) return [fail('database', error.message, 'Correct DATABASE_URL.')];
        const { code } = error as { code?: unknown };
        const why = typeof code === 'string' ? ` (${code})` : '';
        return [fail('database', `${address} cannot be used${why}`, 'Start it, or mend DATABASE_URL.')];
      }
    },
  };
}

/** Everything that can be looked at in the database. */
export async function lookAtDatabase(
  { catalogue, environment, schema, migrations }: Tools,
  { findings, connection }: OpenedDatabase,
  maxAgeSeconds: number,
): Promise<Finding[]> {
  if (!connection) return [...findings];
  const { OUTBOX_CAPTURE } = captureVariables;
  const checks = databaseChecks({
    ...connection,
    catalogue,
    schema,
    migrations,
    engine: OUTBOX_CAPTURE.catch('middleware').parse(environment['OUTBOX_CAPTURE'] || undefined),
    kafkaEnabled: isKafkaEnabled(environment),
    maxAgeSeconds,
  });
  return [...findings, ...(await runChecks(checks))];
}
