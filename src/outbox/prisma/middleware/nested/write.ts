import { lockOne } from '../locking';
import type { Row } from '../../../mapping';
import type { Outcome } from '../outcome';
import { ModelRequest, type Operation, type RequestOptions } from '../request';
import type { Session } from '../session';
import { findRows } from './findRows';
import type { NestedGraph } from './graph';
import { lockRows } from './lockRows';
import { narrow } from './narrow';
import type { NestedPlan } from './plan';
import type { Position } from './position';
import { ImageStore } from './imageStore';
import { topStrength } from './strength';

/*
 * A write with nested writes: lock what it may touch, let Prisma do all of it, read again, and tell the differences.
 * One write means one change of a row at most: what Prisma does to a row in several statements is one event, and a row
 * that comes and goes within the write is none.
 *
 * A nested write that fails half-way may have left rows behind to which nothing leads, and is to be undone. One that
 * fails after its answer has been done.
 */

export interface NestedOperation extends Operation {
  readonly plan: NestedPlan;
  readonly graph: NestedGraph;
}

/** Creates the row at the top. `restrict` as in RequestOptions. */
export async function createNested(
  operation: NestedOperation,
  session: Session,
  restrict?: RequestOptions['restrict'],
): Promise<Outcome> {
  return write(operation, session, { positions: operation.plan.fresh, locked: [], restrict });
}

/** Changes the row at the top, which has been locked, if it is there. */
export async function updateNested(
  operation: NestedOperation,
  session: Session,
  locked: readonly Row[],
  restrict: RequestOptions['restrict'],
): Promise<Outcome> {
  return write(operation, session, { positions: operation.plan.changed, locked, restrict });
}

/** Locks the row at the top against what the nested writes need it to be locked against. */
export async function lockTop(
  { model, args, plan }: NestedOperation,
  session: Session,
  data: unknown,
): Promise<Row[]> {
  return lockOne(session, model, args['where'], topStrength(model, data, plan.changed));
}

interface Part {
  readonly positions: readonly Position[];
  readonly locked: readonly Row[];
  readonly restrict: RequestOptions['restrict'];
}

async function write(
  operation: NestedOperation,
  session: Session,
  { positions, locked, restrict }: Part,
): Promise<Outcome> {
  const { model, graph } = operation;
  const images = new ImageStore();
  images.recordBefore(model, locked);
  const keys = locked.map((row) => row[model.key]);
  const { reached, narrowings } = await lockRows(session, images, positions, keys);
  const request = new ModelRequest(operation, {
    restrict: (args) => narrow(restrict?.(args) ?? args, narrowings),
  });
  const ended = await settled(request.run(session.transaction));
  if (!request.answered) return { ...ended, events: [], rollBack: true };
  const returned = request.rows();
  const topKeys = returned.map((row) => row[model.key]);
  // As with `created` in operations.ts.
  images.recordAfter(model, locked.length > 0 ? returned : await session.read(model, topKeys));
  await findRows(session, images, positions, topKeys, reached);
  return { ...ended, events: images.events(graph) };
}

type Ended =
  { readonly ok: true; readonly result: unknown } | { readonly ok: false; readonly error: unknown };

async function settled(run: Promise<unknown>): Promise<Ended> {
  try {
    return { ok: true, result: await run };
  } catch (error) {
    return { ok: false, error };
  }
}
