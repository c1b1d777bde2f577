import type { MappedEvent } from '../../mapping';
import { CaptureError } from '../../captureError';
import { isKnownRequestError, isValidationError } from '../prismaErrors';
import type { ModelRequest } from './request';
import type { Session } from './session';
import { settle } from './unit';

/*
 * A request that fails may still have written something: Prisma gave up between two statements of one operation, or could
 * not read the answer. If the caller catches the error and commits, what was written must have its events, so a failure
 * is an outcome with events too.
 */

/** How a write ended, and the events of what it has written. */
export type Outcome = {
  readonly events: readonly MappedEvent[];
  /** What was written can't be told: the write itself is to be rolled back, by its savepoint or its transaction. */
  readonly rollBack?: boolean;
} & (
  | { readonly ok: true; readonly result: unknown }
  | {
      readonly ok: false;
      readonly error: unknown;
      /** Why events may be missing, so that its transaction must not be committed. */ readonly rollbackOnly?: Error;
    }
);

/** Runs the request and tells its events, also when it failed. */
export async function conclude(
  request: ModelRequest,
  session: Session,
  events: () => Promise<MappedEvent[]>,
): Promise<Outcome> {
  let result: unknown;
  try {
    result = await request.run(session.transaction);
  } catch (error) {
    return failed(request, session, events, error);
  }
  try {
    return { ok: true, result, events: await events() };
  } catch (error) {
    return { ok: false, error, events: [], rollbackOnly: lostSight(error) };
  }
}

async function failed(
  request: ModelRequest,
  session: Session,
  events: () => Promise<MappedEvent[]>,
  error: unknown,
): Promise<Outcome> {
  try {
    await catchUp(session);
  } catch {
    // The server has given the transaction up, or it is closed: nothing of it can be committed.
    return { ok: false, error, events: [] };
  }
  try {
    const told = await events();
    const sure = request.answered || request.verifiable || precedesWriting(error);
    return { ok: false, error, events: told, ...(sure ? {} : { rollbackOnly: lostSight(error) }) };
  } catch (reason) {
    return { ok: false, error, events: [], rollbackOnly: lostSight(reason) };
  }
}

/** The connection runs one statement after the other: when this one is done, so is what was sent before. */
async function catchUp(session: Session): Promise<void> {
  await session.execute('SELECT 1', []);
  await settle();
}

/**
 * Prisma's refusals of arguments, and of a row to connect that is not there, come before it writes anything. After any
 * other error that left the transaction alive (P2023, a stored value that it can't read) the row may be there.
 */
const harmless = new Set(['P2009', 'P2012', 'P2013', 'P2018', 'P2019', 'P2025', 'P2029', 'P2033']);

function precedesWriting(error: unknown): boolean {
  if (isValidationError(error)) return true;
  return isKnownRequestError(error) && harmless.has(error.code);
}

function lostSight(cause: unknown): CaptureError {
  return new CaptureError(
    'The transaction is rolled back: a write in it failed half-way, and what it has written could not be told',
    { cause },
  );
}
