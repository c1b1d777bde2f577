import type { Row } from '../../mapping';
import { CaptureError } from '../../captureError';
import type { Outcome } from './outcome';
import type { Operation } from './request';
import type { Session } from './session';
import { isKnownRequestError } from '../prismaErrors';

/** More often than two inserts and deletes of one row can plausibly meet. */
const upsertAttempts = 10;

/** How an upsert is carried out when it is known which of its outcomes it has. */
export interface UpsertHalves {
  readonly lock: () => Promise<Row[]>;
  /** Changes the row that is locked. */
  readonly change: (locked: readonly Row[]) => Promise<Outcome>;
  /** Creates a row and finds none. */
  readonly create: () => Promise<Outcome>;
}

/**
 * Prisma's own upsert may update a row that came into being a moment ago, whose image before nobody has seen. So the
 * request is narrowed to one outcome: to the row that is locked, or, when there is none, to no row at all, so that it
 * can only create; if somebody else was faster, back to the savepoint and begin again.
 */
export async function upsertInHalves(
  { model, args }: Operation,
  session: Session,
  { lock, change, create }: UpsertHalves,
): Promise<Outcome> {
  let collision: unknown;
  for (let attempt = 1; attempt <= upsertAttempts; attempt++) {
    const locked = await lock();
    const [row] = locked;
    if (row) {
      const found = await session.findUnique(model, args['where']);
      if (found[0] === row[model.key]) return change(locked);
      continue;
    }
    // A second collision without a row to update is with another row: the caller's to know, in a transaction as
    // Postgres leaves it after such an error.
    if (collision !== undefined) return create();
    await session.execute('SAVEPOINT signalbox_upsert', []);
    const outcome = await create();
    if (outcome.ok || !isCollision(outcome.error)) {
      if (outcome.ok) await session.execute('RELEASE SAVEPOINT signalbox_upsert', []);
      return outcome;
    }
    collision = outcome.error;
    await session.execute('ROLLBACK TO SAVEPOINT signalbox_upsert', []);
    await session.execute('RELEASE SAVEPOINT signalbox_upsert', []);
  }
  throw (
    collision ?? new CaptureError(`The row of ${model.name} to upsert changed its identity again and again`)
  );
}

const isCollision = (error: unknown): boolean => isKnownRequestError(error) && error.code === 'P2002';
