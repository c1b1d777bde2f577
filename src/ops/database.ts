import type { Pool } from 'pg';
import { loadConfig } from '../shared/config/load';
import { commonVariables } from '../shared/config/variables';
import { createPool } from '../shared/database';
import type { Tools } from './command';

/** Runs `use` with a connection pool of one to the database that DATABASE_URL names, and closes it. */
export async function withDatabase<T>(
  { environment, logger }: Pick<Tools, 'environment' | 'logger'>,
  use: (pool: Pool, databaseUrl: string) => Promise<T>,
): Promise<T> {
  const { DATABASE_URL: databaseUrl } = loadConfig(
    { DATABASE_URL: commonVariables.DATABASE_URL },
    environment,
  );
  const pool = createPool({ databaseUrl, poolSize: 1, applicationName: 'signalbox-ops', logger });
  try {
    return await use(pool, databaseUrl);
  } finally {
    await pool.end();
  }
}
