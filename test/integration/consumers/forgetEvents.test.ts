import { randomUUID } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { countProcessed, forgetEvents } from '../../../src/consumers/forgetEvents';
import { claimEvent } from '../../../src/consumers/inbox';
import type { PrismaClient } from '../../../src/generated/prisma/client';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { createTestDatabase, type TestDatabase } from '../../support/database';
import { patientCreated } from '../../support/events';
import { silentLogger } from '../../support/logger';
import { waitFor } from '../../support/waitFor';
import { poolOf } from '../relay/harness';

let database: TestDatabase;
let pool: Pool;
let open: PoolClient;
let prisma: PrismaClient;
const applicationName = 'forgetting';

beforeAll(async () => {
  database = await createTestDatabase();
  pool = poolOf(database.url);
  prisma = createPrismaClient({
    databaseUrl: database.url,
    poolSize: 2,
    applicationName,
    logger: silentLogger(),
  });
});
beforeEach(async () => {
  open = await pool.connect();
});
afterEach(() => open.release());
afterAll(async () => {
  await prisma.$disconnect();
  await pool.end();
  await database.drop();
});

const claim = async (consumer: string, event_id: string): Promise<boolean> => {
  const event = { ...patientCreated(), event_id };
  return prisma.$transaction(async (tx) => (await claimEvent(tx, consumer, event)) === 'new', {
    timeout: 60_000,
  });
};

async function claimWaits(): Promise<void> {
  const waiting = async (): Promise<boolean> => {
    const { rowCount } = await pool.query(
      `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
      [applicationName],
    );
    return rowCount === 1;
  };
  await waitFor(waiting, { what: 'a delivery that waits' });
}

describe('an inbox that is made to forget', () => {
  it('forgets the named events of the named consumer only', async () => {
    const [one, two] = [randomUUID(), randomUUID()];
    for (const [consumer, id] of [
      ['a', one],
      ['a', two],
      ['b', one],
    ] as const) {
      expect(await claim(consumer, id)).toBe(true);
    }
    expect(await countProcessed(open, 'a', [one, randomUUID()])).toBe(1);
    expect(await forgetEvents(open, 'a', [one, randomUUID()])).toBe(1);
    expect(await claim('a', one)).toBe(true);
    expect(await claim('a', two)).toBe(false);
    expect(await claim('b', one)).toBe(false);
  });

  it.each([
    ['COMMIT', true],
    ['ROLLBACK', false],
  ])('keeps a delivery that comes too early waiting for its %s', async (end, processed) => {
    const event = randomUUID();
    await claim('a', event);
    await open.query('BEGIN');
    await forgetEvents(open, 'a', [event]);
    const delivery = claim('a', event);
    await claimWaits();
    await open.query(end);
    expect(await delivery).toBe(processed);
  });
});
