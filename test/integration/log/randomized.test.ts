/**
 * Many writers, one reader, chance. The writers do what applications do at once: change rows under their locks, hold
 * transactions open, roll back, use savepoints. The reader must see each committed event once, each aggregate's in the
 * order of its changes, and nothing that was rolled back.
 *
 * `SEED=… npx jest test/integration/log/randomized.test.ts` repeats a run as far as the scheduler allows.
 */
import { Client, type Pool } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { append, poolOf, RecordingPublisher, steppedRelay } from '../relay/harness';
import { effort } from '../../support/effort';
import { generator } from '../../support/generator';

const writerCount = 24;
const aggregates = 40;
const lanes = [3, 7, 11];
const runMs = effort(4_000, 10_000);
/** A slow machine takes longer for a run that is worth anything. */
const leastCommitted = 500;
const longestMs = 120_000;

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
  await pool.query('CREATE TABLE counter (id text PRIMARY KEY, n int NOT NULL DEFAULT 0)');
  await pool.query(`INSERT INTO counter SELECT 'a' || i FROM generate_series(0, $1 - 1) i`, [aggregates]);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

test('every committed event is read once, in the order of its aggregate, whatever the writers do', async () => {
  const seed = Number(process.env['SEED'] ?? effort(311, Date.now() % 1_000_000));
  process.stdout.write(`randomized log test: SEED=${seed}\n`);
  const random = generator(seed);
  const publisher = new RecordingPublisher();
  const relays = [1, 7, 200].map((rows) => steppedRelay(pool, { publisher, limits: { rows } }));
  const deadline = Date.now() + runMs;
  let committed = 0;
  const isOver = (): boolean =>
    Date.now() > deadline + longestMs || (Date.now() > deadline && committed >= leastCommitted);
  const onCommit = (events: number): void => void (committed += events);

  const writing = Promise.all(
    Array.from({ length: writerCount }, () =>
      write(generator(Math.floor(random() * 2 ** 31)), isOver, onCommit),
    ),
  );
  const writers = { busy: true };
  void writing.finally(() => (writers.busy = false));
  while (writers.busy) {
    const relay = relays[Math.floor(random() * relays.length)] ?? relays[0];
    await relay?.leases.renew();
    for (let looks = 1 + random() * 40; looks > 0; looks -= 1) await relay?.tick.run();
    await relay?.leases.releaseAll();
  }
  await writing;
  const last = steppedRelay(pool, { publisher });
  await last.leases.renew();
  await last.drain();

  const published = publisher.published();
  expect(committed).toBeGreaterThanOrEqual(leastCommitted);
  expect(faultsOf(published, await pool.query('SELECT id, n FROM counter'))).toEqual({
    lost: 0,
    doubled: 0,
    outOfOrder: 0,
    outOfNowhere: 0,
  });
  expect(published).toHaveLength(committed);
}, 240_000);

interface Faults {
  lost: number;
  doubled: number;
  outOfOrder: number;
  outOfNowhere: number;
}

/** Each change of an aggregate adds one to its counter and appends that number: so 1 to n must come, in order. */
function faultsOf(published: string[], counters: { rows: { id: string; n: number }[] }): Faults {
  const faults: Faults = { lost: 0, doubled: 0, outOfOrder: 0, outOfNowhere: 0 };
  const seen = new Map<string, number[]>(counters.rows.map(({ id }) => [id, []]));
  for (const label of published) {
    const [id = '', n] = label.split(':');
    seen.get(id)?.push(Number(n));
  }
  for (const { id, n } of counters.rows) {
    const numbers = seen.get(id) ?? [];
    const distinct = new Set(numbers);
    faults.doubled += numbers.length - distinct.size;
    faults.outOfNowhere += [...distinct].filter((number) => number > n).length;
    for (let number = 1; number <= n; number += 1) if (!distinct.has(number)) faults.lost += 1;
    faults.outOfOrder += numbers.filter(
      (number, index) => number < Math.max(...numbers.slice(0, index)),
    ).length;
  }
  return faults;
}

/** One writer: transactions until time is up. Tells of the events of each. */
async function write(
  random: () => number,
  isOver: () => boolean,
  onCommit: (events: number) => void,
): Promise<void> {
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    while (!isOver()) onCommit(await transact(client, random));
  } finally {
    await client.end();
  }
}

/** Locks are taken in one order, so that writers wait for each other but never deadlock. */
async function transact(client: Client, random: () => number): Promise<number> {
  const touched = Array.from({ length: 1 + Math.floor(random() ** 3 * 6) }, () =>
    Math.floor(random() * aggregates),
  );
  touched.sort((a, b) => a - b);
  let appended = 0;
  await client.query('BEGIN');
  if (random() < 0.3) await client.query('SELECT pg_current_xact_id()');
  for (const index of touched) {
    const withSavepoint = random() < 0.2;
    if (withSavepoint) await client.query('SAVEPOINT s');
    await change(client, `a${index}`, index);
    if (withSavepoint && random() < 0.5) await client.query('ROLLBACK TO s');
    else appended += 1;
    if (random() < 0.1) await client.query('SELECT pg_sleep($1)', [random() ** 6 * 0.6]);
  }
  const rolledBack = random() < 0.15;
  await client.query(rolledBack ? 'ROLLBACK' : 'COMMIT');
  return rolledBack ? 0 : appended;
}

async function change(client: Client, id: string, index: number): Promise<void> {
  const { rows } = await client.query<{ n: number }>(
    'UPDATE counter SET n = n + 1 WHERE id = $1 RETURNING n',
    [id],
  );
  await append(client, id, rows[0]?.n ?? 0, { lane: lanes[index % lanes.length] ?? 0 });
}
