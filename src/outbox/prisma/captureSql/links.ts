import { type Aggregate, isLinkRule, type LinkRule } from '../../../events/aggregate';
import type { JoinTable } from '../schema/joinTables';
import type { Table } from '../schema/tables';
import { type Branch, branchOf } from './branches';
import { captured, type CapturedField, encoded, keyOf, type RowAlias } from './encode';
import { appending, type CaptureBody, functionBody } from './functions';

/*
 * Events of links: rows of the table of an implicit many-to-many relation that come and go. The table has the keys of both
 * sides and nothing else, and so has the event.
 */

/** What the join table of one relation needs. */
export interface LinkCapture {
  readonly relation: string;
  readonly join: JoinTable;
  readonly bodies: readonly CaptureBody[];
  /** Whether the end of a link means an event. */
  readonly unlinks: boolean;
}

/** @throws Error when a rule is about no such relation, or carries more than the key. */
export function linkCaptures(aggregate: Aggregate, table: Table): LinkCapture[] {
  const rules = Object.entries(aggregate.events).filter((entry): entry is [string, LinkRule] =>
    isLinkRule(entry[1]),
  );
  const relations = new Set(rules.map(([, { relation }]) => relation));
  return [...relations].map((relation) => {
    const join = joinOf(aggregate, table, relation);
    const branches = (on: LinkRule['on'], row: RowAlias): Branch[] =>
      rules
        .filter(([, rule]) => rule.on === on && rule.relation === relation)
        .map(([eventType, rule]) => linkBranch({ aggregate, table, join, eventType, rule, row }));
    return {
      relation,
      join,
      bodies: bodiesOf(aggregate, branches('link', 'n'), branches('unlink', 'o')),
      unlinks: rules.some(([, rule]) => rule.on === 'unlink' && rule.relation === relation),
    };
  });
}

function joinOf({ type, model, key }: Aggregate, table: Table, relation: string): JoinTable {
  const join = table.joins.get(relation);
  if (!join)
    throw new Error(
      `An event of the aggregate "${type}" is about links of ${model}.${relation}, which is not an implicit many-to-many relation`,
    );
  if (table.id.length !== 1 || table.id[0] !== key)
    throw new Error(
      `An event of the aggregate "${type}" is about links of ${model}.${relation}, whose table knows a ${model} by its @id: make it the aggregate's key`,
    );
  return join;
}

interface LinkParts {
  readonly aggregate: Aggregate;
  readonly table: Table;
  readonly join: JoinTable;
  readonly eventType: string;
  readonly rule: LinkRule;
  readonly row: RowAlias;
}

function linkBranch({ aggregate, table, join, eventType, rule, row }: LinkParts): Branch {
  const [name = ''] = table.id;
  const more = rule.carries.find((carried) => carried !== name);
  if (more !== undefined)
    throw new Error(
      `The event "${eventType}" of a link carries "${more}": it can carry its key "${name}" alone`,
    );
  const { field, column } = captured(aggregate, table, name);
  if (field.as === rule.other.as)
    throw new Error(
      `The event "${eventType}" of a link names both sides "${field.as}": give \`other\` another name`,
    );
  const own: CapturedField = { field, column: { ...column, name: join.own } };
  const other: CapturedField = {
    field: rule.other,
    column: { name: join.other, list: false, nullable: false, unique: false },
  };
  const carried = [...rule.carries.map(() => own), other];
  return branchOf({
    eventType,
    id: keyOf([own], row),
    data: carried.map((each) => [each.field.as, encoded(each, row)]),
    when: '',
  });
}

/** An update of the join table is a link that ended and one that began: a new key of a row makes the database do it. */
function bodiesOf(
  aggregate: Aggregate,
  linked: readonly Branch[],
  unlinked: readonly Branch[],
): CaptureBody[] {
  const began = (from: string): string[] => (linked.length > 0 ? [appending(aggregate, from, linked)] : []);
  const ended = (from: string): string[] =>
    unlinked.length > 0 ? [appending(aggregate, from, unlinked)] : [];
  const bodies: [CaptureBody['operation'], string, string[]][] = [
    ['insert', 'NEW TABLE AS new_rows', began('FROM new_rows AS n')],
    [
      'update',
      'OLD TABLE AS old_rows NEW TABLE AS new_rows',
      [...ended(onlyIn('old_rows', 'new_rows', 'o')), ...began(onlyIn('new_rows', 'old_rows', 'n'))],
    ],
    ['delete', 'OLD TABLE AS old_rows', ended('FROM old_rows AS o')],
  ];
  return bodies.flatMap(([operation, referencing, statements]) =>
    statements.length === 0 ? [] : [{ operation, referencing, body: functionBody(statements.join('\n  ')) }],
  );
}

const onlyIn = (these: string, others: string, alias: RowAlias): string =>
  `FROM (SELECT * FROM ${these} AS a WHERE NOT EXISTS (
    SELECT FROM ${others} AS b WHERE b."A" = a."A" AND b."B" = a."B")) AS ${alias}`;
