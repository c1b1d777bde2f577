/** The relay as a program, and a database that is crashed under it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Pool } from 'pg';
import { registerProcess } from '../../dev/kafka/watchman';
import { findFreePort } from '../../dev/postgres/ports';
import { type EmbeddedPostgres, startPostgres } from '../../dev/postgres/startPostgres';
import { declaredTopics } from '../../src/kafka/topics/declaredTopics';
import { readBacklog } from '../../src/outbox/log/backlog';
import { migrate } from '../../src/shared/migrate/migrate';
import { append, poolOf } from '../integration/relay/harness';
import { fromSetup, variables } from '../support/environment';
import { deleteTopics, kafkaBrokers, readAll, uniqueName } from '../support/kafka';
import { silentLogger } from '../support/logger';
import { killPrograms, spawnSignalbox } from '../support/process';
import { waitFor } from '../support/waitFor';
import { catalogue } from '../../src/healthcore/catalogue';

jest.setTimeout(180_000);

const prefix = uniqueName('crash').replaceAll('.', '-');
const keys = ['a', 'b', 'c', 'd', 'e'];
let directory: string;
let port: number;
let server: EmbeddedPostgres;
let pool: Pool;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-crash-'));
  port = await findFreePort();
  await launch();
  const migrations = resolve(__dirname, '../../prisma/migrations');
  await migrate({ databaseUrl: server.url, directory: migrations, logger: silentLogger() });
  pool = poolOf(server.url);
});

afterAll(async () => {
  await killPrograms();
  await pool?.end();
  await server?.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  await deleteTopics(...declaredTopics(catalogue, prefix));
});

async function launch(): Promise<void> {
  const settings = { fsync: 'off' };
  server = await startPostgres({ dataDir: join(directory, 'data'), port, logger: silentLogger(), settings });
  await registerProcess(fromSetup(variables.directory), server.pid);
}

/** Immediate shutdown: no checkpoint, no goodbye. */
async function crash(): Promise<void> {
  process.kill(server.pid, 'SIGQUIT');
  await server.exited;
  await server.stop();
}

test('a relay whose database crashes under load goes on by itself, and loses nothing', async () => {
  const relay = await spawnSignalbox('relay', {
    env: {
      DATABASE_URL: server.url,
      KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
      KAFKA_TOPIC_PREFIX: prefix,
      RELAY_LEASE_MS: '1000',
      RELAY_POLL_INTERVAL_MS: '20',
      RELAY_PAGE_SIZE: '10',
      RELAY_RETRY_MAX_MS: '300',
      RELAY_PORT: String(await findFreePort()),
      HOST: '127.0.0.1',
    },
  });
  let written = 0;
  const write = async (count: number): Promise<void> => {
    for (const last = written + count; written < last; written += 1)
      for (const key of keys) await append(pool, key, written + 1);
  };
  const published = (): Promise<unknown> =>
    waitFor(async () => (await readBacklog(pool)).rows === 0, {
      what: () => `the backlog to be published:\n${relay.output().slice(-4_000)}`,
      deadlineMs: 60_000,
    });
  await write(10);
  await published();
  for (let round = 0; round < 4; round += 1) {
    await write(60);
    await crash();
    await launch();
    await write(20);
    await published();
  }
  expect(await relay.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  const seen = new Map(keys.map((key) => [key, new Set<number>()]));
  for (const { key, value } of await readAll(`${prefix}.patient.updated`))
    seen.get(key ?? '')?.add((JSON.parse(value ?? '') as { data: { n: number } }).data.n);
  for (const key of keys)
    expect([...(seen.get(key) ?? [])]).toEqual(Array.from({ length: written }, (_, n) => n + 1));
});
