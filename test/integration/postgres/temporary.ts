import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  startPostgres,
  type EmbeddedPostgres,
  type PostgresOptions,
} from '../../../dev/postgres/startPostgres';
import { registerProcess } from '../../../dev/kafka/watchman';
import { compile } from '../../support/compile';
import { fromSetup, variables } from '../../support/environment';
import { silentLogger } from '../../support/logger';
import { spawnProcess, type RunningProgram } from '../../support/process';

export interface Temporary {
  /** A data directory that does not exist yet, in a directory that nobody but its owner may enter. */
  readonly dataDir: string;
  start(options?: Partial<PostgresOptions>): Promise<EmbeddedPostgres>;
  /** Has a program of its own start the server: the program that prints "up PID PORT" is returned. */
  startInChild(): Promise<RunningProgram>;
  /** Has that process ended if the test run is killed. */
  watch(pid: number): Promise<void>;
  /** Stops what was started with `start` and removes everything. */
  cleanUp(): Promise<void>;
}

/** A place for one test's server. */
export async function temporary(): Promise<Temporary> {
  const run = fromSetup(variables.directory);
  const directory = await mkdtemp(join(run, 'postgres-'));
  const dataDir = join(directory, '.data', 'postgres');
  const started: EmbeddedPostgres[] = [];
  const forget: (() => Promise<void>)[] = [];
  const watch = async (pid: number): Promise<void> => void forget.push(await registerProcess(run, pid));
  return {
    dataDir,
    watch,
    start: async (options = {}) => {
      const postgres = await startPostgres({ dataDir, port: 0, logger: silentLogger(), ...options });
      started.push(postgres);
      await watch(postgres.pid);
      return postgres;
    },
    startInChild: async () => {
      const script = `
        const { startPostgres } = require(process.env.MODULE);
        const logger = require('pino')({ level: 'silent' });
        startPostgres({ dataDir: process.env.DATA_DIR, port: 0, logger }).then(({ pid, port }) => console.log('up', pid, port));
      `;
      const module = join(await compile(), 'dev/postgres/startPostgres.js');
      const env = { MODULE: module, DATA_DIR: dataDir };
      return spawnProcess({ command: process.execPath, args: ['-e', script], env, cwd: process.cwd() });
    },
    cleanUp: async () => {
      for (const postgres of started.splice(0)) await postgres.stop();
      for (const step of forget.splice(0)) await step();
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Runs one statement on a connection of its own. */
export async function query<T extends object>(url: string, sql: string): Promise<T[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<T>(sql)).rows;
  } finally {
    await client.end();
  }
}
