import { keyOf, mapChange, mapChanges, type MappedEvent, type Row } from '../../mapping';
import { CaptureError } from '../../captureError';
import { lockMany, lockOne, strengthFor, withoutLimit } from './locking';
import { conclude, type Outcome } from './outcome';
import { ModelRequest, onlyKeys, type Operation, type RequestOptions } from './request';
import { type Args, readsRelations } from './selection';
import type { Session } from './session';
import { upsertInHalves } from './upsert';

/* Each write operation, told as: which rows to lock, what to send, and which images to compare. */

export type Strategy = (operation: Operation, session: Session) => Promise<Outcome>;

export const strategies: ReadonlyMap<string, Strategy> = new Map<string, Strategy>([
  ['create', create],
  ['createMany', create],
  ['createManyAndReturn', create],
  ['update', update],
  ['updateMany', updateMany],
  ['updateManyAndReturn', updateMany],
  ['upsert', upsert],
  ['delete', remove],
  ['deleteMany', removeMany],
]);

/** The actions that count rows, and those of the same arguments that return them. */
const returning: Readonly<Record<string, RequestOptions>> = {
  createMany: { action: 'createManyAndReturn', result: count },
  updateMany: { action: 'updateManyAndReturn', result: count },
};

function count(rows: unknown): { count: number } {
  return { count: Array.isArray(rows) ? rows.length : 0 };
}

/** Not for arguments that choose what is returned: an action that counts refuses them, and must still. */
function returningOptions({ action, args }: Operation): RequestOptions {
  const chooses = ['select', 'include', 'omit'].some((name) => args[name] !== undefined);
  return chooses ? {} : (returning[action] ?? {});
}

async function create(operation: Operation, session: Session): Promise<Outcome> {
  const request = new ModelRequest(operation, returningOptions(operation));
  return conclude(request, session, async () => created(operation, request, session));
}

/** RETURNING gives the rows that were created; with relations Prisma reads them again, and may read others. */
async function created(
  { model, args }: Operation,
  request: ModelRequest,
  session: Session,
): Promise<MappedEvent[]> {
  const returned = request.rows();
  const rows = readsRelations(model, args)
    ? await session.read(
        model,
        returned.map((row) => row[model.key]),
      )
    : returned;
  return rows.flatMap((row) => mapChange(model.aggregate, undefined, row));
}

async function update(operation: Operation, session: Session): Promise<Outcome> {
  const { model, args } = operation;
  const locked = await lockOne(session, model, args['where'], strengthFor(model, args['data']));
  return updateLocked(operation, session, locked, {});
}

async function updateMany(operation: Operation, session: Session): Promise<Outcome> {
  const { model, args } = operation;
  const locked = await lockMany(session, model, args, strengthFor(model, args['data']));
  return updateLocked(operation, session, locked, returningOptions(operation));
}

async function updateLocked(
  operation: Operation,
  session: Session,
  locked: readonly Row[],
  options: RequestOptions,
): Promise<Outcome> {
  const { model } = operation;
  const keys = locked.map((row) => row[model.key]);
  const restrict: RequestOptions['restrict'] = (args) => onlyKeys(model, keys, withoutLimit(args));
  const request = new ModelRequest(operation, { ...options, restrict, verifiable: true });
  return conclude(request, session, async () => {
    const after = request.answered ? request.rows() : await session.read(model, keys);
    return mapChanges(model.aggregate, await written(operation, session, locked, after, request), after);
  });
}

/**
 * Those of the locked rows that the write has touched. A row that is neither among those returned nor under its old key
 * any more has got a new key, which is possible only when the write names it.
 */
async function written(
  { model, args }: Operation,
  session: Session,
  locked: readonly Row[],
  after: readonly Row[],
  request: ModelRequest,
): Promise<Row[]> {
  const { aggregate, key } = model;
  const left = new Set(after.map((row) => keyOf(aggregate, row)));
  const before = locked.filter((row) => left.has(keyOf(aggregate, row)));
  if (before.length === after.length && request.answered) {
    if (before.length === locked.length || !namesKey(args, key)) return before;
  }
  const missing = locked.filter((row) => !left.has(keyOf(aggregate, row)));
  const untouched = await session.read(
    model,
    missing.map((row) => row[key]),
  );
  const still = new Set(untouched.map((row) => keyOf(aggregate, row)));
  const gone = new Set(missing.map((row) => keyOf(aggregate, row)).filter((name) => !still.has(name)));
  if (after.length - before.length !== gone.size && request.answered) {
    throw new CaptureError(`A write of ${model.name} returned rows that it was not to touch`);
  }
  if (gone.size > 0 && !request.answered) throw new CaptureError(`Rows of ${model.name} got new keys unseen`);
  return locked.filter((row) => left.has(keyOf(aggregate, row)) || gone.has(keyOf(aggregate, row)));
}

function namesKey(args: Args, key: string): boolean {
  const data = args['data'] ?? args['update'];
  return typeof data === 'object' && data !== null && (data as Record<string, unknown>)[key] !== undefined;
}

async function upsert(operation: Operation, session: Session): Promise<Outcome> {
  const { model, args } = operation;
  return upsertInHalves(operation, session, {
    lock: async () => lockOne(session, model, args['where'], strengthFor(model, args['update'])),
    change: async (locked) => updateLocked(operation, session, locked, {}),
    create: async () => upsertAbsent(operation, session),
  });
}

async function upsertAbsent(operation: Operation, session: Session): Promise<Outcome> {
  const request = new ModelRequest(operation, { restrict: (args) => onlyKeys(operation.model, [], args) });
  return conclude(request, session, async () => created(operation, request, session));
}

/** DELETE … RETURNING gives the image of what it deletes; with relations Prisma reads first, and needs the lock. */
async function remove(operation: Operation, session: Session): Promise<Outcome> {
  const { model, args } = operation;
  if (readsRelations(model, args))
    return removeLocked(operation, session, await lockOne(session, model, args['where'], 'UPDATE'));
  const request = new ModelRequest(operation);
  return conclude(request, session, async () =>
    request.rows().flatMap((row) => mapChange(model.aggregate, row, undefined)),
  );
}

async function removeMany(operation: Operation, session: Session): Promise<Outcome> {
  return removeLocked(operation, session, await lockMany(session, operation.model, operation.args, 'UPDATE'));
}

async function removeLocked(
  operation: Operation,
  session: Session,
  locked: readonly Row[],
): Promise<Outcome> {
  const { model } = operation;
  const { aggregate } = model;
  const keys = locked.map((row) => row[model.key]);
  const request = new ModelRequest(operation, {
    restrict: (args) => onlyKeys(model, keys, withoutLimit(args)),
    verifiable: true,
  });
  return conclude(request, session, async () => {
    const left = hasRemoved(request, locked.length) ? [] : await session.read(model, keys);
    const still = new Set(left.map((row) => keyOf(aggregate, row)));
    return mapChanges(
      aggregate,
      locked.filter((row) => !still.has(keyOf(aggregate, row))),
      [],
    );
  });
}

/** Whether the answer says that as many rows were deleted as were locked. */
function hasRemoved({ answered, answer }: ModelRequest, rows: number): boolean {
  return answered && ((answer as { count?: number } | null)?.count ?? 1) === rows;
}
