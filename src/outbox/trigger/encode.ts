import type { Aggregate } from '../../events/aggregate';
import type { Field, FieldKind } from '../../events/fields';
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
  if (!column) throw new Error(`The model "${table.model}" has no column for the field "${name}"`);
  return { field, column };
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
  if (column.list)
    throw new Error(`The field "${field.as}" is a list, and events carry single values only: use json`);
  return encodings[field.kind](`${row}.${identifier(column.name)}`, column);
}

const asIs = (value: string): string => value;

const encodings: Record<FieldKind, (value: string, column: Column) => string> = {
  uuid: asIs,
  text: asIs,
  // Overloaded for timestamptz, timestamp and date: the column's own type decides, see helpers.ts.
  datetime: (value) => `signalbox.instant_of(${value})`,
  date: (value) => `left(signalbox.instant_of(${value}), 10)`,
  int: asIs,
  bigint: (value) => `${value}::text`,
  // Without trailing zeros, as decimal.js writes it.
  decimal: (value) => `trim_scale(${value})::text`,
  // JSON has no word for what is no number; neither has JSON.stringify.
  float: (value) => `CASE WHEN ${value} NOT IN ('NaN', 'Infinity', '-Infinity') THEN ${value} END`,
  boolean: asIs,
  // Postgres breaks lines after 76 characters.
  bytes: (value) => `translate(encode(${value}, 'base64'), chr(10), '')`,
  json: asIs,
  enum: memberOf,
};

/** An enum's member may have another label in the database (`@map`). */
function memberOf(value: string, { members }: Column): string {
  const renamed = [...(members ?? [])].filter(([label, member]) => label !== member);
  if (renamed.length === 0) return value;
  const cases = renamed.map(([label, member]) => `WHEN ${literal(label)} THEN ${literal(member)}`);
  return `CASE ${value}::text ${cases.join(' ')} ELSE ${value}::text END`;
}

/** Whether the value before is another than the value now; two nulls are the same. */
export function differs(captured: CapturedField): string {
  return `signalbox.differs(${columnOf(captured, 'o')}, ${columnOf(captured, 'n')})`;
}

/** Whether the field has this value now and had another before. */
export function becomes(captured: CapturedField, value: string | number | boolean): string {
  const { field, column } = captured;
  if (field.kind === 'json' || field.kind === 'bytes' || column.list)
    throw new Error(`The field "${field.as}" can't be compared with a value: only single, plain values can`);
  const label = labelOf(captured, value);
  // Without a cast the literal takes the column's type, so that 1 equals 1.0 where the column is a number.
  const now = `${columnOf(captured, 'n')} = ${literal(label)}`;
  return `${now} AND ${columnOf(captured, 'o')} IS DISTINCT FROM ${literal(label)}`;
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

/** The aggregate's id: text, never null. */
export function keyOf({ field, column }: CapturedField, row: RowAlias): string {
  if (!(['uuid', 'text', 'int', 'bigint', 'enum'] as FieldKind[]).includes(field.kind))
    throw new Error(`The key "${field.as}" is of kind ${field.kind}, which is no way to name an aggregate`);
  return `${encodings[field.kind](`${row}.${identifier(column.name)}`, column)}::text`;
}
