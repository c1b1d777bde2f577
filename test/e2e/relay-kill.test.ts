/** The relay as a program, killed at random instants while events are being written. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { findFreePort } from '../../dev/postgres/ports';
import { declaredTopics } from '../../src/kafka/topics/declaredTopics';
import { readBacklog } from '../../src/outbox/log/backlog';
import { append, poolOf } from '../integration/relay/harness';
import { createTestDatabase, type TestDatabase } from '../support/database';
import { effort } from '../support/effort';
import { deleteTopics, kafkaBrokers, readAll, type ReceivedMessage, uniqueName } from '../support/kafka';
import { type RunningProgram, spawnSignalbox } from '../support/process';
import { waitFor } from '../support/waitFor';
import { catalogue } from '../../src/healthcore/catalogue';

const kills = effort(6, 20);
const keys = 30;

let database: TestDatabase;
let pool: Pool;
const prefix = uniqueName('kill').replaceAll('.', '-');

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url, 6);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
  await deleteTopics(...declaredTopics(catalogue, prefix));
});

async function startRelay(instance: string): Promise<RunningProgram> {
  return spawnSignalbox('relay', {
    env: {
      DATABASE_URL: database.url,
      KAFKA_BOOTSTRAP_SERVERS: kafkaBrokers().join(','),
      KAFKA_TOPIC_PREFIX: prefix,
      RELAY_INSTANCE: instance,
      RELAY_LEASE_MS: '1000',
      RELAY_POLL_INTERVAL_MS: '20',
      RELAY_PAGE_SIZE: '50',
      RELAY_PORT: String(await findFreePort()),
      LOG_LEVEL: 'info',
    },
  });
}

test('a relay that is killed twenty times under load loses nothing and keeps the order of each aggregate', async () => {
  const writing = { goesOn: true };
  const written = write(writing);
  // Two names: one relay takes its own lanes again at once, the other has to wait for the lease of the dead.
  for (let kill = 1; kill <= kills; kill += 1) {
    const relay = await startRelay(kill % 2 === 0 ? 'even' : 'odd');
    await relay.waitForLine(/took lanes/);
    await sleep(Math.random() * 400);
    await relay.kill('SIGKILL');
  }
  writing.goesOn = false;
  const counts = await written;
  const relay = await startRelay('last');
  await waitFor(async () => (await readBacklog(pool)).rows === 0, {
    what: () => `the backlog to be published:\n${relay.output()}`,
  });
  expect(await relay.kill('SIGTERM')).toEqual({ code: 0, signal: null });

  const published = new Map<string, number[]>();
  const messages = await readAll(`${prefix}.patient.updated`);
  for (const { key, value } of messages) {
    const { data } = JSON.parse(value ?? '') as { data: { n: number } };
    published.set(key ?? '', [...(published.get(key ?? '') ?? []), data.n]);
  }
  expect(await missingOf(counts, published, messages)).toEqual([]);
  for (const [key, count] of counts) {
    // Repetitions are allowed; what counts is the order of the first copies, and that none is missing.
    const firstCopies = [...new Set(published.get(key))];
    expect({ key, firstCopies }).toEqual({
      key,
      firstCopies: Array.from({ length: count }, (_, n) => n + 1),
    });
  }
}, 180_000);

/** What is not in Kafka, with what the outbox says of it, and whether Kafka gave all offsets up to its last. */
async function missingOf(
  counts: ReadonlyMap<string, number>,
  published: ReadonlyMap<string, readonly number[]>,
  messages: readonly ReceivedMessage[],
): Promise<unknown[]> {
  const missing = [...counts].flatMap(([key, count]) => {
    const there = new Set(published.get(key));
    return Array.from({ length: count }, (_, n) => ({ key, n: n + 1 })).filter(({ n }) => !there.has(n));
  });
  if (missing.length === 0) return [];
  const { rows } = await pool.query(
    `SELECT o.lane, o.position, o.txid::text, o.aggregate_id, o.data->>'n' AS n, o.occurred_at,
       l.done_snapshot::text, l.done_xid::text, l.done_floor, p.state AS set_aside
     FROM signalbox.outbox o JOIN signalbox.lane l USING (lane) LEFT JOIN signalbox.parked_event p USING (lane, position)
     JOIN jsonb_to_recordset($1::jsonb) AS x(key text, n int) ON x.key = o.aggregate_id AND x.n = (o.data->>'n')::int`,
    [JSON.stringify(missing)],
  );
  const partitions = new Set(messages.map(({ partition }) => partition));
  const gaps = [...partitions].flatMap((partition) => {
    const offsets = messages.filter((one) => one.partition === partition).map(({ offset }) => Number(offset));
    return offsets.filter((offset, index) => offset !== index).slice(0, 1);
  });
  return [{ missing, rows, gaps }];
}

/** Appends 1, 2, 3, … for each key, several at a time; resolves to the last number of each. */
async function write(state: { goesOn: boolean }): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  const writer = async (first: number): Promise<void> => {
    for (let index = first; state.goesOn; index = (index + 3) % keys) {
      const key = `k${index}`;
      const n = (counts.get(key) ?? 0) + 1;
      await append(pool, key, n);
      counts.set(key, n);
      await sleep(3);
    }
  };
  await Promise.all([0, 1, 2].map(writer));
  return counts;
}
