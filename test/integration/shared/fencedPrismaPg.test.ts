import type { Transaction } from '@prisma/driver-adapter-utils';
import { CommitGate, runBehindGate } from '../../../src/shared/commitGate';
import { FencedPrismaPg } from '../../../src/outbox/prisma/adapter/fencedPrismaPg';
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

  describe('behind a gate', () => {
    const insert = statement(
      "INSERT INTO patients (id, name, email, updated_at) VALUES (gen_random_uuid(), 'a', 'a@example.com', now())",
    );
    const stored = async (): Promise<unknown> =>
      (await adapter.queryRaw(statement('SELECT 1 FROM patients'))).rows;
    const refused = { cause: { kind: 'TransactionAlreadyClosed' } };

    it('rolls back instead of committing when the gate was closed, and leaves its connection clean', async () => {
      const gate = new CommitGate();
      const tx = await runBehindGate(gate, () => adapter.startTransaction());
      await tx.executeRaw(insert);
      gate.close();
      await expect(tx.executeRaw(insert)).rejects.toMatchObject(refused);
      await expect(tx.executeRaw(statement('COMMIT'))).rejects.toMatchObject(refused);
      await tx.rollback();
      expect(gate.mayHaveCommitted).toBe(false);
      // On the only connection: a transaction that is still open would show its row.
      expect(await stored()).toEqual([]);
    });

    it('can be rolled back by Prisma after the gate was closed', async () => {
      const gate = new CommitGate();
      const tx = await runBehindGate(gate, () => adapter.startTransaction());
      await tx.executeRaw(insert);
      gate.close();
      await tx.executeRaw(statement('ROLLBACK'));
      await tx.rollback();
      expect(await stored()).toEqual([]);
    });

    it('is not begun, and writes nothing alone, when the gate was closed before', async () => {
      const gate = new CommitGate();
      gate.close();
      await runBehindGate(gate, async () => {
        await expect(adapter.startTransaction()).rejects.toMatchObject(refused);
        await expect(adapter.executeRaw(insert)).rejects.toMatchObject(refused);
        await expect(
          adapter.queryRaw({ ...insert, sql: `${insert.sql} RETURNING id` }),
        ).rejects.toMatchObject(refused);
        expect(await stored()).toEqual([]);
      });
      expect(gate.mayHaveCommitted).toBe(false);
    });

    it('notes what it has committed: not a read, but a transaction or a write alone', async () => {
      const [reads, writes, transacts] = [new CommitGate(), new CommitGate(), new CommitGate()];
      await runBehindGate(reads, stored);
      await runBehindGate(writes, () => adapter.executeRaw(statement('DELETE FROM patients')));
      const tx = await runBehindGate(transacts, () => adapter.startTransaction());
      await tx.executeRaw(statement('COMMIT'));
      await tx.commit();
      expect([reads, writes, transacts].map((gate) => gate.mayHaveCommitted)).toEqual([false, true, true]);
    });
  });
});
