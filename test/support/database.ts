/**
 * A database of its own for every test file. The migrations run once per test run, into a template; each test
 * database is a clone of it, which takes some 20 ms. Names hold the run's id, so that whatever a crashed test leaves
 * on a server that was given by hand is found and dropped at the end of the run.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { findProjectRoot } from '../../dev/kafka/projectRoot';
import { migrate } from '../../src/shared/migrate/migrate';
import { fromSetup, testTimeZone, variables } from './environment';
import { silentLogger } from './logger';
import { waitFor } from './waitFor';

const migrationsDirectory = join(findProjectRoot(__dirname), 'prisma', 'migrations');
/** Any number does; all workers of a run use the same, in the server's own database. */
const templateLock = 5_418_113;

export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  /** Fails, and names them, if connections remain; call it when the code under test has been stopped. */
  assertNoLeaks(deadlineMs?: number): Promise<void>;
  /**
   * Cuts the connections that remain, and removes the database or, on a server of this run's own, closes it. May be
   * called again.
   */
  drop(): Promise<void>;
}

/** A database with all migrations applied. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return withServer(async (server) => {
    const template = await ensureTemplate(server);
    const name = newName();
    await retryWhileInUse(() =>
      server.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`),
    );
    await moveDatabase(server, name);
    return describe(name);
  });
}

/** A database without any of our tables, for tests of the migrations themselves. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  return withServer(async (server) => {
    const name = newName();
    await server.query(`CREATE DATABASE ${escapeIdentifier(name)}`);
    await moveDatabase(server, name);
    return describe(name);
  });
}

/** Drops everything that a run made on the server. */
export async function dropDatabasesOf(run: string): Promise<void> {
  await withServer(async (server) => {
    const { rows } = await server.query<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE datname LIKE $1',
      [`${prefixOf(run).replaceAll('_', '\\_')}%`],
    );
    for (const { datname } of rows) await dropDatabase(server, datname);
  });
}

/** Settings of a database are not copied from its template. */
async function moveDatabase(server: Client, name: string): Promise<void> {
  if (testTimeZone === undefined) return;
  await server.query(
    `ALTER DATABASE ${escapeIdentifier(name)} SET timezone = ${escapeLiteral(testTimeZone)}`,
  );
}

/** Gives the role of a server of our own a time zone by default. */
export async function moveRole(url: string, timeZone: string): Promise<void> {
  const server = new Client({ connectionString: url });
  await server.connect();
  await server.query(`ALTER ROLE CURRENT_USER SET timezone = ${escapeLiteral(timeZone)}`);
  await server.end();
}

function describe(name: string): TestDatabase {
  return {
    name,
    url: urlOf(name),
    assertNoLeaks: (deadlineMs) => assertNoLeaks(name, deadlineMs),
    drop: () => withServer((server) => (isOwnServer() ? closeDatabase : dropDatabase)(server, name)),
  };
}

async function ensureTemplate(server: Client): Promise<string> {
  const name = `${prefixOf(fromSetup(variables.run))}_template`;
  await server.query('SELECT pg_advisory_lock($1)', [templateLock]);
  try {
    const { rows } = await server.query<{ datistemplate: boolean }>(
      'SELECT datistemplate FROM pg_database WHERE datname = $1',
      [name],
    );
    if (rows[0]?.datistemplate !== true) await buildTemplate(server, name);
  } finally {
    await server.query('SELECT pg_advisory_unlock($1)', [templateLock]);
  }
  return name;
}

/** It becomes a template as the last step, and from then on nobody may connect: a connection would block cloning. */
async function buildTemplate(server: Client, name: string): Promise<void> {
  const quoted = escapeIdentifier(name);
  await server.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
  await server.query(`CREATE DATABASE ${quoted}`);
  await migrate({ databaseUrl: urlOf(name), directory: migrationsDirectory, logger: silentLogger() });
  await server.query(`ALTER DATABASE ${quoted} WITH ALLOW_CONNECTIONS false IS_TEMPLATE true`);
}

/** The migration's connection, or a vacuum, may linger in the template for a moment. */
async function retryWhileInUse(clone: () => Promise<unknown>): Promise<void> {
  await waitFor(
    async () => {
      try {
        await clone();
        return true;
      } catch (error) {
        if ((error as { code?: unknown }).code === '55006') return false;
        throw error;
      }
    },
    { what: 'the template database to be free', deadlineMs: 60_000 },
  );
}

interface Connection {
  pid: number;
  application_name: string;
  state: string | null;
  query: string;
}

async function assertNoLeaks(name: string, deadlineMs = 5_000): Promise<void> {
  let left: Connection[] = [];
  const none = async (): Promise<boolean> => {
    left = await connectionsOf(name);
    return left.length === 0;
  };
  try {
    // The server notices a closed connection a moment after the client has closed it.
    await waitFor(none, { what: 'all connections to be closed', deadlineMs });
  } catch (error) {
    if (left.length === 0) throw error;
    const list = left.map(({ pid, application_name, state, query }) => {
      return `  ${pid} "${application_name}" ${state ?? ''}: ${query.replaceAll(/\s+/g, ' ').slice(0, 120)}`;
    });
    throw new Error(`${left.length} connection(s) to ${name} were not closed:\n${list.join('\n')}`, {
      cause: error,
    });
  }
}

async function connectionsOf(name: string): Promise<Connection[]> {
  return withServer(async (server) => {
    const { rows } = await server.query<Connection>(
      `SELECT pid, application_name, state, query FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend'`,
      [name],
    );
    return rows;
  });
}

async function dropDatabase(server: Client, name: string): Promise<void> {
  const quoted = escapeIdentifier(name);
  const { rowCount } = await server.query('SELECT 1 FROM pg_database WHERE datname = $1 AND datistemplate', [
    name,
  ]);
  if (rowCount !== 0) await server.query(`ALTER DATABASE ${quoted} WITH IS_TEMPLATE false`);
  await server.query(`DROP DATABASE IF EXISTS ${quoted} WITH (FORCE)`);
}

/**
 * For a server that is thrown away as a whole. A database is some 300 files, and ext4 passes over the inodes of files
 * that were removed in the last minutes one by one whenever it makes a new file (decision 19).
 */
async function closeDatabase(server: Client, name: string): Promise<void> {
  await server.query('UPDATE pg_database SET datallowconn = false WHERE datname = $1', [name]);
  await server.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = $1', [
    name,
  ]);
}

const isOwnServer = (): boolean => (process.env[variables.ownDatabase] ?? '') !== '';

async function withServer<T>(use: (server: Client) => Promise<T>): Promise<T> {
  const server = new Client({
    connectionString: fromSetup(variables.databaseUrl),
    application_name: 'test databases',
  });
  await server.connect();
  try {
    return await use(server);
  } finally {
    await server.end();
  }
}

const prefixOf = (run: string): string => `test_${run}`;

const newName = (): string => `${prefixOf(fromSetup(variables.run))}_${randomBytes(6).toString('hex')}`;

function urlOf(name: string): string {
  const url = new URL(fromSetup(variables.databaseUrl));
  url.pathname = `/${name}`;
  return url.href;
}
