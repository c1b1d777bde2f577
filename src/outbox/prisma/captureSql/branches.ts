import { type Aggregate, type EventRule, keyFields, watchedFields } from '../../../events/aggregate';
import { becomes, captured, differs, encoded, keyOf, type RowAlias } from './encode';
import { identifier, literal } from './quote';
import type { Table } from '../schema/tables';

type UpdateRule = Extract<EventRule, { on: 'update' }>;

/** One event that a row may mean. */
export interface Branch {
  readonly eventType: string;
  /** What follows a SELECT: the event's columns, yielding no row when this is not what the change means. */
  readonly sql: string;
}

/** The events of rows that are there now and were not before. */
export function createdBranches(aggregate: Aggregate, table: Table, when = ''): Branch[] {
  return rulesOf(aggregate, 'create').map(([eventType, rule]) =>
    branch(aggregate, table, { eventType, row: 'n', data: carried(aggregate, table, rule, 'n'), when }),
  );
}

/** The events of rows that were there before and no longer are. */
export function deletedBranches(aggregate: Aggregate, table: Table, when = ''): Branch[] {
  return rulesOf(aggregate, 'delete').map(([eventType, rule]) =>
    branch(aggregate, table, { eventType, row: 'o', data: carried(aggregate, table, rule, 'o'), when }),
  );
}

/** The events of rows that were and are there; `both` says so in SQL, with AND behind it, where that is a question. */
export function updatedBranches(aggregate: Aggregate, table: Table, both = ''): Branch[] {
  return rulesOf(aggregate, 'update').map(([eventType, rule]) => {
    const when = `${both}${condition(aggregate, table, rule)}`;
    return branch(aggregate, table, { eventType, row: 'n', data: updateData(aggregate, table, rule), when });
  });
}

function rulesOf<On extends EventRule['on']>(
  aggregate: Aggregate,
  on: On,
): [string, Extract<EventRule, { on: On }>][] {
  type Rule = Extract<EventRule, { on: On }>;
  return Object.entries(aggregate.events).filter((entry): entry is [string, Rule] => entry[1].on === on);
}

function condition(aggregate: Aggregate, table: Table, { when }: UpdateRule): string {
  if ('becomes' in when) return becomes(captured(aggregate, table, when.becomes.field), when.becomes.value);
  const changes = when.changed.map((name) => differs(captured(aggregate, table, name)));
  return `(${changes.join(' OR ')})`;
}

/** Keys of `data` with their SQL, in the rule's order: carried, previous, changed_fields. */
type Data = [key: string, sql: string][];

function carried(aggregate: Aggregate, table: Table, rule: EventRule, row: RowAlias): Data {
  return rule.carries.map((name) => {
    const found = captured(aggregate, table, name);
    return [found.field.as, encoded(found, row)];
  });
}

function updateData(aggregate: Aggregate, table: Table, rule: UpdateRule): Data {
  const data = carried(aggregate, table, rule, 'n');
  for (const name of rule.previous ?? []) {
    const found = captured(aggregate, table, name);
    data.push([`previous_${found.field.as}`, encoded(found, 'o')]);
  }
  if (rule.changedFields) data.push(['changed_fields', changedFields(aggregate, table, rule)]);
  return data;
}

/** The names of the watched fields that have another value than before. */
function changedFields(aggregate: Aggregate, table: Table, rule: UpdateRule): string {
  const names = watchedFields(aggregate, rule).map((name) => {
    const found = captured(aggregate, table, name);
    return `CASE WHEN ${differs(found)} THEN ${literal(found.field.as)} END`;
  });
  return `array_remove(ARRAY[${names.join(', ')}], NULL)`;
}

interface BranchParts {
  readonly eventType: string;
  readonly row: RowAlias;
  readonly data: Data;
  readonly when: string;
}

function branch(aggregate: Aggregate, table: Table, { eventType, row, data, when }: BranchParts): Branch {
  const parts = keyFields(aggregate).map((name) => captured(aggregate, table, name));
  return branchOf({ eventType, id: keyOf(parts, row), data, when });
}

/** An event as what follows a SELECT. `id` is the SQL of the aggregate's id, `when` the condition, if there is one. */
export function branchOf({
  eventType,
  id,
  data,
  when,
}: Omit<BranchParts, 'row'> & { readonly id: string }): Branch {
  const columns = data.map(([key, sql]) => `${sql} AS ${identifier(key)}`);
  const lines = [
    `${literal(eventType)}::text AS event_type, ${id} AS aggregate_id, row_to_json(d) AS data`,
    `    FROM (SELECT ${columns.join(',\n                 ')}) AS d`,
    ...(when === '' ? [] : [`    WHERE ${when}`]),
  ];
  return { eventType, sql: lines.join('\n') };
}
