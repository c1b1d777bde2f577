import type { Row } from '../../../mapping';
import type { Outcome } from '../outcome';
import { onlyKeys } from '../request';
import type { Session } from '../session';
import { upsertInHalves } from '../upsert';
import { createNested, lockTop, type NestedOperation, updateNested } from './write';

/* The operations that can have nested writes: the others take no relations in their data. */

export const nestedStrategies: ReadonlyMap<
  string,
  (operation: NestedOperation, session: Session) => Promise<Outcome>
> = new Map([
  ['create', async (operation: NestedOperation, session: Session) => createNested(operation, session)],
  ['update', update],
  ['upsert', upsert],
]);

async function update(operation: NestedOperation, session: Session): Promise<Outcome> {
  const locked = await lockTop(operation, session, operation.args['data']);
  return change(operation, session, locked);
}

async function change(
  operation: NestedOperation,
  session: Session,
  locked: readonly Row[],
): Promise<Outcome> {
  const { model } = operation;
  const keys = locked.map((row) => row[model.key]);
  return updateNested(operation, session, locked, (args) => onlyKeys(model, keys, args));
}

async function upsert(operation: NestedOperation, session: Session): Promise<Outcome> {
  return upsertInHalves(operation, session, {
    lock: async () => lockTop(operation, session, operation.args['update']),
    change: async (locked) => change(operation, session, locked),
    create: async () => createNested(operation, session, (args) => onlyKeys(operation.model, [], args)),
  });
}
