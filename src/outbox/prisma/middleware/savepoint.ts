import { CaptureError } from '../../captureError';
import { asModelError } from './databaseErrors';
import type { Outcome } from './outcome';
import type { Session } from './session';
import { settle, type TransactionUnit } from './unit';

/*
 * A nested write that fails in a caller's transaction may have left something behind, in plain Prisma: rows that it
 * created before it missed another. If the caller catches the error and commits, those rows are there, and nothing leads
 * to them. So such a write leaves nothing: it is rolled back to a savepoint before it. A transaction that the server has
 * given up stays given up.
 *
 * A savepoint takes everything back that has run since, also what is not capture's. If a write that capture has no part
 * in was under way at the same time, the transaction can't commit instead.
 */
export async function inSavepoint(
  session: Session,
  unit: TransactionUnit,
  modelName: string,
  work: () => Promise<Outcome>,
): Promise<Outcome> {
  const others = unit.watchOthers();
  await session.execute('SAVEPOINT signalbox_nested', []).catch((error: unknown) => {
    throw asModelError(error, session.operationOf(modelName));
  });
  const outcome = await work().catch((error: unknown): Outcome => ({
    ok: false,
    error,
    events: [],
    rollBack: true,
  }));
  if (!outcome.ok && !(await isAlive(session))) return outcome;
  if (!outcome.rollBack) {
    await session.execute('RELEASE SAVEPOINT signalbox_nested', []);
  } else if (!outcome.ok && others.none()) {
    await session.execute('ROLLBACK TO SAVEPOINT signalbox_nested', []);
    await session.execute('RELEASE SAVEPOINT signalbox_nested', []);
  } else unit.markRollbackOnly(halfDone(outcome.ok ? undefined : outcome.error));
  return outcome;
}

/** Whether the server would still commit the transaction; after everything that was sent before. */
async function isAlive(session: Session): Promise<boolean> {
  try {
    await session.execute('SELECT 1', []);
    await settle();
    return true;
  } catch {
    return false;
  }
}

function halfDone(cause: unknown): CaptureError {
  return new CaptureError(
    'The transaction is rolled back: a nested write in it failed half-way, and what it has written could not be undone ' +
      'by itself',
    { cause },
  );
}
