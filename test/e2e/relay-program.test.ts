import type { Pool } from 'pg';
import { findFreePort } from '../../dev/postgres/ports';
import { declaredTopics } from '../../src/kafka/topics/declaredTopics';
import { readBacklog } from '../../src/outbox/log/backlog';
import { append, poolOf } from '../integration/relay/harness';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { numberedData } from '../support/events';
import { deleteTopics, kafkaBrokers, readAll, uniqueName } from '../support/kafka';
import { killPrograms, type RunningProgram, spawnSignalbox } from '../support/process';
import { startTcpProxy } from '../support/tcpProxy';
import { waitFor } from '../support/waitFor';
import { catalogue } from '../../src/healthcore/catalogue';

jest.setTimeout(180_000);

let database: TestDatabase;
let pool: Pool;
let prefix: string;

beforeEach(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 6);
  prefix = uniqueName('program').replaceAll('.', '-');
});

afterEach(async () => {
  await killPrograms();
  await pool.end();
  await database.drop();
  await deleteTopics(...declaredTopics(catalogue, prefix));
});

interface Started {
  readonly program: RunningProgram;
  readonly url: string;
}

async function start(env: Record<string, string> = {}): Promise<Started> {
  const port = await findFreePort();
  const program = await spawnSignalbox('relay', {
    env: {
      DATABASE_URL: database.url,
      KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
      KAFKA_TOPIC_PREFIX: prefix,
      RELAY_LEASE_MS: '1000',
      RELAY_POLL_INTERVAL_MS: '20',
      RELAY_PORT: String(port),
      HOST: '127.0.0.1',
      ...env,
    },
  });
  return { program, url: `http://127.0.0.1:${port}` };
}

async function numbers(): Promise<number[]> {
  const messages = await readAll(`${prefix}.patient.updated`);
  return messages.map(({ value }) => (JSON.parse(value ?? '') as { data: { n: number } }).data.n);
}

async function fill(key: string, from: number, to: number): Promise<void> {
  await pool.query(
    `INSERT INTO signalbox.outbox (lane, event_type, event_version, aggregate_type, aggregate_id, source, data)
     SELECT signalbox.lane_of($1), 'patient.updated', '1.0', 'patient', $1, 'test', ${numberedData('n')}
     FROM generate_series($2::int, $3::int) n`,
    [key, from, to],
  );
}

const published = async (): Promise<boolean> => (await readBacklog(pool)).rows === 0;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test('it says when it is ready and counts what it does', async () => {
  await append(pool, 'a', 1);
  const { program, url } = await start();
  await waitFor(
    async () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    {
      what: () => `readiness:\n${program.output()}`,
    },
  );
  await waitFor(published, { what: 'the event to be published' });
  const metrics = await (await fetch(`${url}/metrics`)).text();
  expect(metrics).toMatch(
    new RegExp(`signalbox_relay_events_total\\{topic="${prefix}.patient.updated",program="relay"\\} 1`),
  );
  expect(metrics).toMatch(/signalbox_outbox_backlog\{program="relay"\} 0/);
  expect(metrics).toMatch(/signalbox_relay_lanes_owned\{program="relay"\} 16/);
});

test('SIGTERM in the middle of a backlog ends it in time, with its lanes given up and nothing lost or repeated', async () => {
  await fill('a', 1, 20_000);
  const { program } = await start({ RELAY_PAGE_SIZE: '100', RELAY_LEASE_MS: '60000' });
  const settled = async (): Promise<number> => {
    const { rows } = await pool.query<{ last: string }>(
      'SELECT max(last_position)::text AS last FROM signalbox.lane',
    );
    return Number(rows[0]?.last);
  };
  await waitFor(async () => (await settled()) > 500, { what: 'some pages', intervalMs: 1 });
  const before = Date.now();
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(Date.now() - before).toBeLessThan(10_000);
  expect(await settled()).toBeLessThan(20_000);
  const { rows } = await pool.query('SELECT FROM signalbox.lane WHERE owner IS NOT NULL');
  expect(rows).toEqual([]);
  await start();
  await waitFor(published, { what: 'the rest to be published', deadlineMs: 120_000 });
  expect(await numbers()).toEqual(upTo(20_000));
});

test('a second SIGTERM ends it at once while it waits for a broker that does not answer', async () => {
  const [broker = ''] = kafkaBrokers();
  const proxy = await startTcpProxy({ port: Number(broker.split(':').at(-1)) });
  try {
    proxy.pause();
    const { program } = await start({ KAFKA_BOOTSTRAP_SERVERS: proxy.address });
    await waitFor(() => proxy.connections() > 0, { what: 'the relay to ask the broker' });
    program.signal('SIGTERM');
    await program.waitForLine(/a second signal leaves at once/);
    let ended = false;
    void program.exited.then(() => (ended = true));
    // What follows the first signal closely is taken for its echo; stopping by itself takes 5 s here.
    await waitFor(() => (ended ? true : (program.signal('SIGTERM'), false)), {
      what: 'the second signal to end it',
      intervalMs: 200,
    });
    expect(await program.exited).toEqual({ code: 1, signal: null });
  } finally {
    await proxy.close();
  }
});

test('a relay that was paused past its lease and resumed changes nothing that its heir did', async () => {
  await append(pool, 'a', 1);
  const paused = await start({ LOG_LEVEL: 'debug' });
  await waitFor(published, { what: 'the first event to be published' });
  paused.program.signal('SIGSTOP');
  await fill('a', 2, 50);
  const heir = await start();
  await heir.program.waitForLine(/took lanes/);
  await waitFor(published, { what: 'the heir to publish' });
  paused.program.signal('SIGCONT');
  await paused.program.waitForLine(/another relay has taken this lane/);
  await fill('a', 51, 100);
  await waitFor(published, { what: 'both to go on' });
  expect([...new Set(await numbers())]).toEqual(upTo(100));
});

test('with KAFKA_ENABLED=false it says so, is ready, publishes nothing and needs no brokers', async () => {
  await append(pool, 'a', 1);
  const { program, url } = await start({ KAFKA_ENABLED: 'false', KAFKA_BOOTSTRAP_SERVERS: '' });
  await program.waitForLine(/KAFKA_ENABLED is false: nothing is published/);
  await waitFor(
    async () =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    { what: 'readiness' },
  );
  expect(await (await fetch(`${url}/metrics`)).text()).toMatch(
    /signalbox_outbox_backlog\{program="relay"\} 1/,
  );
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('with Kafka and the database away it starts, is alive and not ready, and stops when told', async () => {
  const nowhere = await findFreePort();
  const { program, url } = await start({
    KAFKA_BOOTSTRAP_SERVERS: `127.0.0.1:${nowhere}`,
    DATABASE_URL: `postgresql://nobody@127.0.0.1:${nowhere}/none`,
  });
  await waitFor(
    async () =>
      fetch(`${url}/livez`).then(
        ({ ok }) => ok,
        () => false,
      ),
    { what: 'it to live' },
  );
  const response = await fetch(`${url}/readyz`);
  expect(response.status).toBe(503);
  expect(await response.json()).toMatchObject({ checks: { database: { ok: false }, kafka: { ok: false } } });
  expect(await program.kill('SIGTERM')).toEqual({ code: 0, signal: null });
});

test('a cursor of another cluster ends it with one line that names the way out', async () => {
  await pool.query('UPDATE signalbox.cluster SET system_identifier = 1');
  const { program } = await start();
  expect(await program.exited).toEqual({ code: 1, signal: null });
  const fatal = program.lines().filter((line) => line.includes('"level":"fatal"'));
  expect(fatal).toHaveLength(1);
  expect(fatal[0]).toContain('npx signalbox ops outbox repair');
  expect(fatal[0]).not.toContain('stack');
});

test('its help names every variable that it reads', async () => {
  const program = await spawnSignalbox('relay', { args: ['--help'] });
  expect(await program.exited).toEqual({ code: 0, signal: null });
  for (const variable of [
    'DATABASE_URL',
    'KAFKA_BOOTSTRAP_SERVERS',
    'RELAY_LEASE_MS',
    'RELAY_POISON_POLICY',
  ]) {
    expect(program.output()).toContain(variable);
  }
});
