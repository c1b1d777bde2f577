import { type Aggregate, keyFields } from '../../../events/aggregate';
import { type Branch, createdBranches, deletedBranches, updatedBranches } from './branches';
import { completeContext, contextValues, declareContext } from './contextSql';
import { captured, columnOf, type RowAlias } from './encode';
import { literal } from './quote';
import { type Table, tellsRowsApart } from '../schema/tables';

/** The body of a trigger's function, without the marks around it. */
export interface CaptureBody {
  readonly operation: 'insert' | 'update' | 'delete';
  readonly referencing: string;
  readonly body: string;
}

/**
 * The functions that an aggregate's table needs, none for an operation that means no event.
 *
 * Each appends by one INSERT, so that it costs one plan and one execution however many events a row means.
 * The rows of INSERT and DELETE are appended in the order in which the statement wrote them, those of UPDATE in the
 * order of the join: they are of different aggregates, so it says nothing. The events of one row come in the catalogue's
 * order. A position is drawn only when the statement holds the lock of every row that it names.
 */
export function captureBodies(aggregate: Aggregate, table: Table): CaptureBody[] {
  const key = keyFields(aggregate);
  const mayBeNull = key.some((name) => captured(aggregate, table, name).column.nullable);
  if (mayBeNull || !tellsRowsApart(table, key))
    throw new Error(
      `The key of the aggregate "${aggregate.type}" is "${key.join(', ')}", which may be null or is neither @id nor @unique: without a row of its own an aggregate's events have no order`,
    );
  const bodies = [insertBody(aggregate, table), updateBody(aggregate, table), deleteBody(aggregate, table)];
  return bodies.filter((body) => body !== undefined);
}

function insertBody(aggregate: Aggregate, table: Table): CaptureBody | undefined {
  const branches = createdBranches(aggregate, table);
  if (branches.length === 0) return undefined;
  const body = functionBody(appending(aggregate, 'FROM new_rows AS n', branches));
  return { operation: 'insert', referencing: 'NEW TABLE AS new_rows', body };
}

function deleteBody(aggregate: Aggregate, table: Table): CaptureBody | undefined {
  const branches = deletedBranches(aggregate, table);
  if (branches.length === 0) return undefined;
  const body = functionBody(appending(aggregate, 'FROM old_rows AS o', branches));
  return { operation: 'delete', referencing: 'OLD TABLE AS old_rows', body };
}

/**
 * Rows before and after meet by the aggregate's key. A row whose key changed is one that went and one that came.
 *
 * A full join, because it is never executed as a nested loop: the plan is made once a session, mostly for a statement
 * of one row, and as a nested loop the same plan would take minutes for an updateMany of 50,000 rows. It takes long to
 * begin, though, so the most common update, of one row that keeps its key, has a statement of its own without it.
 */
function updateBody(aggregate: Aggregate, table: Table): CaptureBody | undefined {
  const of = (name: string, row: RowAlias): string => columnOf(captured(aggregate, table, name), row);
  const key = keyFields(aggregate);
  const sameKey = key.map((name) => `${of(name, 'o')} = ${of(name, 'n')}`).join(' AND ');
  // No field of a key is null, so that its first one tells whether there is a row.
  const [before, now] = [of(key[0], 'o'), of(key[0], 'n')];
  const branches = [
    ...deletedBranches(aggregate, table, `${now} IS NULL`),
    ...createdBranches(aggregate, table, `${before} IS NULL`),
    ...updatedBranches(aggregate, table, `${now} IS NOT NULL AND ${before} IS NOT NULL AND `),
  ];
  if (branches.length === 0) return undefined;
  const join = `FROM old_rows AS o FULL JOIN new_rows AS n ON ${sameKey}`;
  const many = appending(aggregate, join, branches, fence);
  const updated = updatedBranches(aggregate, table);
  const body = functionBody(
    updated.length === 0
      ? many
      : `${single(aggregate, updated, sameKey)}
  ${many}`,
  );
  return { operation: 'update', referencing: 'OLD TABLE AS old_rows NEW TABLE AS new_rows', body };
}

/**
 * The statement for one row that keeps its key; of several rows it appends nothing, and reads none of them. Where it
 * has appended nothing, the row may also mean no event, which is all there is to say of it.
 */
function single(aggregate: Aggregate, branches: readonly Branch[], sameKey: string): string {
  const one = `NOT EXISTS (SELECT FROM new_rows OFFSET 1)`;
  const from = `FROM old_rows AS o JOIN new_rows AS n ON ${sameKey} AND ${one}`;
  return `${appending(aggregate, from, branches)}
  IF FOUND THEN RETURN NEW; END IF;
  PERFORM FROM old_rows AS o JOIN new_rows AS n ON ${sameKey} AND ${one};
  IF FOUND THEN RETURN NEW; END IF;`;
}

/** Keeps the conditions out of the join, where the planner would make it one that may be a nested loop. */
const fence = '\n    OFFSET 0';

/** What RETURN gives is ignored; a variable spares an expression. */
export function functionBody(statements: string): string {
  return `#variable_conflict use_variable
DECLARE
  ${declareContext}
BEGIN
  ${completeContext}
  ${statements}
  RETURN NEW;
END`;
}

/** Part of the statement's text, which Postgres adds to an error of a column or label that is no longer there. */
const staleHint = 'Has the table changed? Run "npx signalbox sync" and "npx signalbox migrate".';

/** Appends the events of the rows that `from` yields. */
export function appending(aggregate: Aggregate, from: string, branches: readonly Branch[], end = ''): string {
  const events = branches.map(({ sql }) => `SELECT ${sql}`).join('\n    UNION ALL ');
  return `INSERT INTO signalbox.outbox -- ${staleHint}
   (lane, event_type, event_version, aggregate_type, aggregate_id,
    source, correlation_id, causation_id, actor, traceparent, data)
  SELECT signalbox.lane_of(e.aggregate_id), e.event_type, ${literal(aggregate.version)}, ${literal(aggregate.type)}, e.aggregate_id,
    ${contextValues}, e.data
  ${from}
  CROSS JOIN LATERAL (
    ${events}${end}
  ) AS e;`;
}
