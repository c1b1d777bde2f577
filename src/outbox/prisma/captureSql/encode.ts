import { notNull } from '../../../events/notNull';
import type { Aggregate } from '../../../events/aggregate';
import { carriable, type Field, type FieldKind } from '../../../events/fields';
import { identifier, literal } from './quote';
import type { Column, Table } from '../schema/tables';

/**
 * A field of an aggregate with its column. Everything below is SQL text in which `row` is the alias of a transition
 * table, `n` for the rows as they are now and `o` for the rows as they were.
 */
export interface CapturedField {
  readonly field: Field;
  readonly column: Column;
}

export type RowAlias = 'n' | 'o';

/** Finds a field of an aggregate and its column. @throws Error when either is missing. */
export function captured(aggregate: Aggregate, table: Table, name: string): CapturedField {
  const field = aggregate.fields[name];
  if (!field) throw new Error(`The aggregate "${aggregate.type}" has no field "${name}"`);
  const column = table.columns.get(name);
  if (!column) throw new Error(missing(table, name));
  return { field, column };
}

function missing({ model, relationFields }: Table, name: string): string {
  if (!relationFields.has(name)) return `The model "${model}" has no column for the field "${name}"`;
  return (
    `${model}.${name} is a relation and no column: list the fields of its foreign key, or, where it is an implicit ` +
    `many-to-many relation, give its links events: { on: 'link', relation: '${name}', … }`
  );
}

/** The column itself. */
export function columnOf({ column }: CapturedField, row: RowAlias): string {
  return `${row}.${identifier(column.name)}`;
}

/**
 * The value as Postgres' JSON functions write it in the form that the catalogue promises for its kind.
 * None of it depends on a setting of the session (TimeZone, DateStyle, bytea_output, …).
 */
export function encoded({ field, column }: CapturedField, row: RowAlias): string {
  const value = columnOf({ field, column }, row);
  const encode = (single: string): string => encodings[field.kind](single, { field, column });
  if (column.list !== (field.list ?? false))
    throw new Error(
      column.list
        ? `The field "${field.as}" is a list in the Prisma schema: declare it as list(…)`
        : `The field "${field.as}" is declared as list(…), and is not a list in the Prisma schema`,
    );
  if (!column.list) return encode(value);
  return `array_to_json(ARRAY(SELECT ${encode('e.value')} FROM unnest(${plainList({ field, column }, value)})
        WITH ORDINALITY AS e(value, nr) ORDER BY e.nr))`;
}

/** A list as Prisma's client sees it: where the column is null, it has no elements. */
const plainList = ({ field }: CapturedField, value: string): string =>
  `signalbox.list_of(${value}, ${literal(field.as)})`;

const asIs = (value: string): string => value;

/** A call of one of the functions of valueSql.ts. */
const by =
  (name: string) =>
  (value: string, { field }: CapturedField): string =>
    `signalbox.${name}(${value}, ${literal(field.as)})`;

const encodings: Record<FieldKind, (value: string, captured: CapturedField) => string> = {
  uuid: by('uuid_of'),
  text: asIs,
  datetime: by('instant_of'),
  date: (value, captured) => `left(${by('instant_of')(value, captured)}, 10)`,
  // To JSON an oid is no number.
  int: (value) => `${value}::bigint`,
  bigint: (value) => `${value}::text`,
  decimal: by('decimal_of'),
  float: by('number_of'),
  boolean: asIs,
  // Postgres breaks lines after 76 characters.
  bytes: (value) => `translate(encode(${value}, 'base64'), chr(10), '')`,
  json: by('json_of'),
  enum: memberOf,
};

/**
 * An enum's member may have another label in the database (`@map`). A label that the Prisma schema does not have, which
 * ALTER TYPE may have added since, is refused: consumers would refuse it.
 */
function memberOf(value: string, { field, column: { members } }: CapturedField): string {
  const known = [...(members ?? [])];
  if (known.length === 0) return value;
  const cases = known.map(([label, member]) => `WHEN ${literal(label)} THEN ${literal(member)}`);
  const refusal = `signalbox.refuse_value(${literal(field.as)}, ${literal(carriable.enum)})`;
  return `CASE ${value}::text ${cases.join(' ')} ELSE CASE WHEN ${value} IS NOT NULL THEN ${refusal} END END`;
}

/** Whether the value before is another than the value now; two nulls are the same. */
export function differs(captured: CapturedField): string {
  const [before, now] = (['o', 'n'] as const).map((row) => {
    const value = columnOf(captured, row);
    return captured.column.list ? `coalesce(${value}, '{}')` : value;
  });
  return `signalbox.differs(${before}, ${now})`;
}

/** Whether the field has this value now and had another before. */
export function becomes(
  captured: CapturedField,
  value: string | number | boolean | null | typeof notNull,
): string {
  const { field, column } = captured;
  const [now, before] = [columnOf(captured, 'n'), columnOf(captured, 'o')];
  const onNull = value === null || value === notNull;
  // Prisma knows no list that is null, and reads JSON's null as if it were none.
  if (field.kind === 'json' || column.list || (field.kind === 'bytes' && !onNull))
    throw new Error(`The field "${field.as}" can't be compared with a value: only single, plain values can`);
  if (value === null) return `${now} IS NULL AND ${before} IS NOT NULL`;
  if (value === notNull) return `${now} IS NOT NULL AND ${before} IS NULL`;
  const label = labelOf(captured, value);
  // Without a cast the literal takes the column's type, so that 1 equals 1.0 where the column is a number.
  return `${now} = ${literal(label)} AND ${before} IS DISTINCT FROM ${literal(label)}`;
}

/** The value as the database knows it: the label of an enum's member, which `@map` may have changed. */
function labelOf({ field, column }: CapturedField, value: string | number | boolean): string {
  if (!column.members) return String(value);
  const [label] = [...column.members].find(([, member]) => member === value) ?? [];
  if (label === undefined)
    throw new Error(
      `The field "${field.as}" can't become ${JSON.stringify(value)}: its enum has no such member`,
    );
  return label;
}

/** The aggregate's id: text, never null. Of several fields, the text that `keyOf` of ../../mapping.ts gives too. */
export function keyOf(parts: readonly CapturedField[], row: RowAlias): string {
  const [only, ...others] = parts.map((part) => keyPart(part, row));
  if (only !== undefined && others.length === 0) return only;
  return parts.map((part) => unambiguous(part, keyPart(part, row))).join(` || ':' || `);
}

/** Each with its SQL type text; those of fixed width or of digits need no encoding. */
function keyPart({ field, column }: CapturedField, row: RowAlias): string {
  const kinds: readonly FieldKind[] = ['uuid', 'text', 'int', 'bigint', 'enum', 'date'];
  if (column.list || !kinds.includes(field.kind))
    throw new Error(
      `The key "${field.as}" is ${column.list ? 'a list' : `of kind ${field.kind}`}, which cannot name an aggregate: keys are of ${kinds.join(', ')}`,
    );
  return `(${encodings[field.kind](`${row}.${identifier(column.name)}`, { field, column })})::text`;
}

const unambiguous = ({ field: { kind } }: CapturedField, part: string): string =>
  kind === 'text' || kind === 'enum' ? `replace(replace(${part}, '%', '%25'), ':', '%3A')` : part;
