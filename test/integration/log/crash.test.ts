/** On a server of its own, to be crashed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Registry } from 'prom-client';
import type { Pool } from 'pg';
import { findFreePort } from '../../../dev/postgres/ports';
import { type EmbeddedPostgres, startPostgres } from '../../../dev/postgres/startPostgres';
import { LaneLeases } from '../../../src/relay/leases';
import { createRelayMetrics } from '../../../src/relay/metrics';
import { Relay } from '../../../src/relay/relay';
import { migrate } from '../../../src/shared/migrate/migrate';
import { captureLogger, silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { append, poolOf, RecordingPublisher, type Stepped, steppedRelay } from '../relay/harness';
import { catalogue } from '../../../src/healthcore/catalogue';

let directory: string;
let port: number;
let server: EmbeddedPostgres;
let pool: Pool;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-crash-'));
  port = await findFreePort();
  await launch();
  const migrations = resolve(__dirname, '../../../prisma/migrations');
  await migrate({ databaseUrl: server.url, directory: migrations, logger: silentLogger() });
  pool = poolOf(server.url);
});

afterEach(async () => {
  await pool?.end();
  await server?.stop();
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

async function launch(): Promise<void> {
  server = await startPostgres({
    dataDir: join(directory, 'data'),
    port,
    logger: silentLogger(),
    settings: { fsync: 'off' },
  });
}

/** What was not flushed is gone. */
async function crash(): Promise<void> {
  process.kill(server.pid, 'SIGQUIT');
  await server.exited;
  await server.stop();
  await launch();
}

/** As the relay's loops do: a look that fails is tried again, with the lanes as the table has them. */
async function recover(leases: Stepped['leases'], drain: Stepped['drain']): Promise<void> {
  for (let attempt = 0; attempt < 4; attempt += 1) {
    await leases.renew();
    await drain().catch(() => undefined);
  }
}

/*
 * A transaction that only looks writes nothing, so a crash forgets that its id was ever given: the ids that idle looks
 * were given are given again, to writers. A snapshot from before the crash calls those ended.
 */
test('ids that looks were given before a crash, and writers after it, hide no event', async () => {
  const { leases, tick, drain, publisher } = steppedRelay(pool);
  await leases.renew();
  await append(pool, 'a', 1);
  await drain();
  for (let look = 0; look < 100; look += 1) await tick.run();
  await crash();
  for (let n = 1; n <= 20; n += 1) await append(pool, `b${n}`, n);
  await recover(leases, drain);
  expect(new Set(publisher.published()).size).toBe(21);
});

test('a look that a crash overtook settles nothing', async () => {
  const { leases, tick, drain, publisher } = steppedRelay(pool);
  await leases.renew();
  for (let n = 1; n <= 20; n += 1) await append(pool, `a${n}`, 1, { lane: 3 });
  await drain();
  await append(pool, 'a1', 2, { lane: 3 });
  // Looks of other relays.
  for (let look = 0; look < 100; look += 1) await pool.query('SELECT pg_current_xact_id()');
  const after = async (): Promise<void> => {
    await crash();
    for (let n = 1; n <= 20; n += 1) await append(pool, `b${n}`, n, { lane: 3 });
  };
  // Kafka's answer takes longer than the crash, the recovery and the writers that come after it.
  publisher.answer = async () => {
    publisher.answer = () => ({ kind: 'sent' });
    await after();
    return { kind: 'sent' };
  };
  await tick.run().catch(() => undefined);
  await recover(leases, drain);
  expect(new Set(publisher.published()).size).toBe(41);
});

class ReadyPublisher extends RecordingPublisher {
  ready = async (): Promise<undefined> => undefined;
  retryTopics = async (): Promise<undefined> => undefined;
  readonly clusterId = 'none';
  disconnect = async (): Promise<void> => undefined;
}

test('what the log says of it is that Postgres crashed, not that another relay has taken lanes', async () => {
  const log = captureLogger();
  const publisher = new ReadyPublisher();
  const registry = new Registry();
  const metrics = createRelayMetrics(registry);
  const common = { database: pool, leaseMs: 5_000, logger: log.logger, metrics };
  const leases = new LaneLeases({
    ...common,
    identity: { id: crypto.randomUUID(), instance: 'only' },
    policy: 'wait',
  });
  const relay = new Relay({
    ...common,
    publisher,
    leases,
    pageSize: 100,
    pollIntervalMs: 20,
    retryMaxMs: 100,
    publishing: { catalogue, topicPrefix: 'test', maxMessageBytes: 1_000_000, policy: 'wait' },
  });
  publisher.answer = async () => {
    publisher.answer = () => ({ kind: 'sent' });
    await crash();
    return { kind: 'sent' };
  };
  await append(pool, 'a', 1);
  await relay.start();
  try {
    // Sent, not settled, and sent again.
    await waitFor(() => publisher.published().length === 2, { what: () => log.lines().join('\n') });
  } finally {
    await relay.stop();
  }
  const lines = log.lines().join('\n');
  expect(lines).toContain('Postgres was restarted after a crash since the batch was opened');
  expect(lines).not.toContain('another relay');
  expect(await registry.metrics()).toContain('signalbox_relay_lease_losses_total 0');
});
