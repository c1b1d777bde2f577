import type { Transaction } from '@prisma/driver-adapter-utils';
import { FencedPrismaPg } from '../../../src/shared/fencedPrismaPg';
import { createTestDatabase, type TestDatabase } from '../../support/database';

const statement = (sql: string) => ({ sql, args: [], argTypes: [] });

describe('a transaction of the fenced adapter', () => {
  let database: TestDatabase;
  let adapter: Awaited<ReturnType<FencedPrismaPg['connect']>>;

  beforeAll(async () => {
    database = await createTestDatabase();
    adapter = await new FencedPrismaPg({ connectionString: database.url, max: 1 }).connect();
  });
  afterAll(async () => {
    await adapter.dispose();
    await database.drop();
  });

  /** What Prisma may still try when the transaction is over. */
  const refusesAll = async (tx: Transaction): Promise<void> => {
    for (const attempt of [
      () => tx.queryRaw(statement('SELECT 1')),
      () => tx.executeRaw(statement('DELETE FROM patients')),
      () => tx.createSavepoint?.('a'),
      () => tx.releaseSavepoint?.('a'),
      () => tx.rollbackToSavepoint?.('a'),
    ])
      await expect(attempt()).rejects.toMatchObject({ cause: { kind: 'TransactionAlreadyClosed' } });
  };

  it.each(['COMMIT', 'ROLLBACK'])('takes nothing behind its %s', async (ending) => {
    const tx = await adapter.startTransaction();
    await tx.createSavepoint?.('a');
    expect(await tx.queryRaw(statement('SELECT 1'))).toMatchObject({ rows: [[1]] });
    await tx.executeRaw(statement(ending));
    await refusesAll(tx);
    await tx.rollback();
    // The only connection is free again.
    expect(await adapter.queryRaw(statement('SELECT 2'))).toMatchObject({ rows: [[2]] });
  });

  it.each(['commit', 'rollback'] as const)(
    'takes nothing when its connection has been given back to %s',
    async (end) => {
      const tx = await adapter.startTransaction();
      await tx[end]();
      await refusesAll(tx);
      await adapter.executeRaw(statement('ROLLBACK'));
    },
  );
});
