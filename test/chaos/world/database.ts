/** The database of a run: a server of its own, on a port that stays the same over restarts. */
import { join } from 'node:path';
import { Client } from 'pg';
import { registerProcess } from '../../../dev/kafka/watchman';
import { findFreePort } from '../../../dev/postgres/ports';
import { startPostgres } from '../../../dev/postgres/startPostgres';
import { findProjectRoot } from '../../../dev/kafka/projectRoot';
import { migrate } from '../../../src/shared/migrate/migrate';
import { silentLogger } from '../../support/logger';
import { hotPatients, journalSchema } from './journalSchema';

export interface Database {
  readonly port: number;
  /** Past all proxies. */
  readonly url: string;
  /** Immediate shutdown: no checkpoint, no goodbye; what was not flushed is gone. Resolves when it has ended. */
  crash(): Promise<void>;
  restart(): Promise<void>;
  /** kill -9 of one connection's process, after which Postgres throws all others out and recovers. */
  killBackend(application: string): Promise<void>;
  stop(): Promise<void>;
}

/** Commits are flushed to the operating system, which outlives everything here. */
const settings = { fsync: 'off', full_page_writes: 'off', max_connections: '150' };

export async function startDatabase(directory: string): Promise<Database> {
  const port = await findFreePort();
  const launch = async () => {
    const server = await startPostgres({
      dataDir: join(directory, 'postgres'),
      port,
      logger: silentLogger(),
      settings,
    });
    await registerProcess(directory, server.pid);
    return server;
  };
  let server = await launch();
  await prepare(server.url);
  return {
    port,
    url: server.url,
    crash: async () => {
      process.kill(server.pid, 'SIGQUIT');
      await server.exited;
      await server.stop();
    },
    restart: async () => {
      server = await launch();
    },
    killBackend: async (application) => {
      const [pid] = await query<{ pid: number }>(
        server.url,
        'SELECT pid FROM pg_stat_activity WHERE application_name = $1 ORDER BY random() LIMIT 1',
        [application],
      );
      if (pid) process.kill(pid.pid, 'SIGKILL');
    },
    stop: () => server.stop(),
  };
}

async function prepare(url: string): Promise<void> {
  const directory = join(findProjectRoot(__dirname), 'prisma', 'migrations');
  await migrate({ databaseUrl: url, directory, logger: silentLogger() });
  await query(url, journalSchema);
  await query(
    url,
    `INSERT INTO patients (id, name, email, phone, updated_at)
     SELECT id::uuid, 'seed ' || id, id || '@example.com', '1', now() FROM unnest($1::text[]) id`,
    [hotPatients],
  );
}

/** One statement on a connection of its own. */
export async function query<R extends object>(
  url: string,
  sql: string,
  parameters?: unknown[],
): Promise<R[]> {
  const client = new Client({ connectionString: url, application_name: 'chaos-judge' });
  // A server that is killed says goodbye in its own way; the query fails all the same.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<R>(sql, parameters)).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}
