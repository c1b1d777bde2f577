/** Databases with capture triggers, on the embedded Postgres and, where Debian's package is there, on Postgres 15. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { Client, type QueryResultRow } from 'pg';
import { chooseAccount } from '../../../dev/postgres/account';
import { launch } from '../../../dev/postgres/launch';
import { findFreePort } from '../../../dev/postgres/ports';
import type { Aggregate } from '../../../src/events/aggregate';
import { catalogue as healthcore } from '../../../src/healthcore/catalogue';
import { generate } from '../../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { migrate } from '../../../src/shared/migrate/migrate';
import { createTestDatabase } from '../../support/database';
import { fromSetup, variables } from '../../support/environment';
import { silentLogger } from '../../support/logger';

export const shippedSchema = readFileSync(path.resolve(__dirname, '../../../prisma/schema.prisma'), 'utf8');
const migrationsDirectory = path.resolve(__dirname, '../../../prisma/migrations');
const debian15 = '/usr/lib/postgresql/15/bin';

export interface OutboxRow {
  position: string;
  event_type: string;
  event_version: string;
  aggregate_type: string;
  aggregate_id: string;
  source: string;
  correlation_id: string | null;
  causation_id: string | null;
  actor: string | null;
  traceparent: string | null;
  /** As it is stored. */
  json: string;
  data: Record<string, unknown>;
}

/** One connection to a database of the test's own. */
export class TestConnection {
  constructor(
    readonly client: Client,
    readonly url: string,
  ) {}

  async run<R extends QueryResultRow = QueryResultRow>(sql: string, parameters?: unknown[]): Promise<R[]> {
    return (await this.client.query<R>(sql, parameters)).rows;
  }

  /** What has been appended since the last call, in order. */
  async events(): Promise<OutboxRow[]> {
    const rows = await this.run<OutboxRow>(
      'SELECT *, data::text AS json FROM signalbox.outbox WHERE position > $1 ORDER BY position',
      [this.#seen],
    );
    this.#seen = rows.at(-1)?.position ?? this.#seen;
    return rows;
  }

  /** Types and data of what has been appended since the last call. */
  async said(): Promise<[string, Record<string, unknown>][]> {
    return (await this.events()).map(({ event_type, data }) => [event_type, data]);
  }

  async types(): Promise<string[]> {
    return (await this.events()).map(({ event_type }) => event_type);
  }

  #seen = '0';
}

export interface TriggerServer {
  readonly name: string;
  /** A database with all migrations and, unless they are among them, the triggers of the shipped catalogue. */
  open(): Promise<TestConnection>;
  stop(): Promise<void>;
}

/** The servers to test on; starting one takes a second or two. */
export const serverNames: readonly string[] = ['embedded', ...(existsSync(debian15) ? ['Postgres 15'] : [])];

export async function startServer(name: string): Promise<TriggerServer> {
  return name === 'embedded' ? embeddedServer() : postgres15();
}

/** Installs the triggers of a catalogue. */
export async function install(
  run: (sql: string) => Promise<unknown>,
  catalogue: readonly Aggregate[] = healthcore.aggregates,
  schema = shippedSchema,
): Promise<void> {
  await run(generate(catalogue, readTables(schema)).sql);
}

function embeddedServer(): TriggerServer {
  const undo: (() => Promise<void>)[] = [];
  return {
    name: 'embedded',
    open: async () => {
      const database = await createTestDatabase();
      undo.push(() => database.drop());
      const connection = await connect(database.url);
      undo.push(() => connection.client.end());
      await install((sql) => connection.run(sql));
      return connection;
    },
    stop: () => undoAll(undo),
  };
}

async function postgres15(): Promise<TriggerServer> {
  const undo: (() => Promise<void>)[] = [];
  const directory = await mkdtemp(path.join(tmpdir(), 'signalbox-pg15-'));
  undo.push(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));
  const dataDir = path.join(directory, 'data');
  const account = await chooseAccount(dataDir);
  if (account) await chown(directory, account.uid, account.gid);
  const flags = ['--username=signalbox', '--auth=trust', '--encoding=UTF8', '--locale=C.UTF-8', '--no-sync'];
  await promisify(execFile)(`${debian15}/initdb`, [`--pgdata=${dataDir}`, ...flags], {
    ...account,
    cwd: '/',
  });
  const port = await findFreePort();
  const server = await launch({
    postgres: `${debian15}/postgres`,
    dataDir,
    port,
    account,
    settings: { fsync: 'off', synchronous_commit: 'off' },
    logFile: path.join(directory, 'log'),
  });
  undo.push(() => server.stop());
  // The watchman of the run ends what a killed test leaves behind.
  const pids = path.join(fromSetup(variables.directory), 'pids');
  await mkdir(pids, { recursive: true });
  await writeFile(path.join(pids, String(server.pid)), '');
  undo.push(() => rm(path.join(pids, String(server.pid)), { force: true }));
  return { name: 'Postgres 15', open: () => openOn(port, undo), stop: () => undoAll(undo) };
}

async function openOn(port: number, undo: (() => Promise<void>)[]): Promise<TestConnection> {
  const name = `trigger_${randomBytes(4).toString('hex')}`;
  const urlOf = (database: string): string => `postgresql://signalbox@127.0.0.1:${port}/${database}`;
  const admin = await connect(urlOf('postgres'));
  await admin.run(`CREATE DATABASE ${name}`);
  await admin.client.end();
  await migrate({ databaseUrl: urlOf(name), directory: migrationsDirectory, logger: silentLogger() });
  const connection = await connect(urlOf(name));
  undo.push(() => connection.client.end());
  await install((sql) => connection.run(sql));
  return connection;
}

export async function connect(url: string): Promise<TestConnection> {
  const client = new Client({ connectionString: url, application_name: 'trigger test' });
  await client.connect();
  return new TestConnection(client, url);
}

async function undoAll(undo: (() => Promise<void>)[]): Promise<void> {
  for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
}
