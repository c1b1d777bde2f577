import type { Row } from '../../mapping';
import { isValidationError } from '../prismaErrors';
import type { CapturedModel } from './model';
import { isKeyOnly } from './request';
import type { Args } from './selection';
import type { LockStrength, Session } from './session';

/*
 * Images before a write, under READ COMMITTED: find the keys, lock the rows, take their images under the lock, and
 * narrow the write to them. A row that changed between finding and locking and no longer fits the caller's `where`
 * stays untouched, because the write evaluates it again: as with a plain UPDATE that had to wait.
 */

const uuid = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** Locks the row that a unique `where` names. */
export async function lockOne(
  session: Session,
  model: CapturedModel,
  where: unknown,
  strength: LockStrength,
): Promise<Row[]> {
  const direct = isKeyOnly(model, where) && isPlainKey(model, where[model.key]);
  const keys = direct ? [where[model.key]] : await unlessInvalid(session.findUnique(model, where));
  return session.lock(model, keys, strength);
}

/** Locks the rows that a `where` finds, at most `limit` of them, where Prisma minds a limit. */
export async function lockMany(
  session: Session,
  model: CapturedModel,
  args: Args,
  strength: LockStrength,
): Promise<Row[]> {
  const { where } = args;
  const limit = mindsLimit(args) ? args['limit'] : undefined;
  if (limit !== undefined && !isLimit(limit)) return [];
  const keys = await unlessInvalid(session.findMany(model, where ?? {}, limit));
  return session.lock(model, keys, strength);
}

/** Of an update that sets nothing Prisma makes a read, of all rows that its `where` finds. */
function mindsLimit({ data }: Args): boolean {
  if (typeof data !== 'object' || data === null) return true;
  return Object.values(data).some((value) => value !== undefined);
}

/** The limit has been applied when the rows were found; a limit that Prisma refuses is left for it to refuse. */
export function withoutLimit(args: Args): Args {
  if (!isLimit(args['limit']) || !mindsLimit(args)) return args;
  const { limit: _, ...rest } = args;
  return rest;
}

/** As strong as the lock that the write itself will take, so that nobody waits longer than without capture. */
export function strengthFor(model: CapturedModel, data: unknown): LockStrength {
  if (typeof data !== 'object' || data === null) return 'NO KEY UPDATE';
  const touched = Object.entries(data).filter(([, value]) => value !== undefined);
  return touched.some(([field]) => model.uniqueFields.has(field)) ? 'UPDATE' : 'NO KEY UPDATE';
}

const isLimit = (limit: unknown): limit is number =>
  typeof limit === 'number' && Number.isInteger(limit) && limit >= 0;

/** The key's value when a unique `where` names it in a form that a raw statement takes, as the database gives it. */
export function plainKeyIn(model: CapturedModel, where: Args): string | undefined {
  const value = where[model.key];
  if (typeof value !== 'string' || !isPlainKey(model, value)) return undefined;
  return model.aggregate.fields[model.key]?.kind === 'uuid' ? value.toLowerCase() : value;
}

/** Whether a raw statement takes the value as Prisma would: if in doubt Prisma is asked, whose errors callers know. */
function isPlainKey({ aggregate, key }: CapturedModel, value: unknown): boolean {
  const kind = aggregate.fields[key]?.kind;
  if (kind === 'uuid') return typeof value === 'string' && uuid.test(value);
  return kind === 'text' && typeof value === 'string' && !value.includes('\0');
}

/** Arguments that Prisma refuses find nothing here; the write itself then tells the caller, in its own name. */
async function unlessInvalid(found: Promise<unknown[]>): Promise<unknown[]> {
  try {
    return await found;
  } catch (error) {
    if (isValidationError(error)) return [];
    throw error;
  }
}
