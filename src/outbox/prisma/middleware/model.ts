import { type Aggregate, isLinkRule } from '../../../events/aggregate';
import { type Column, readTables, type Table } from '../schema/tables';
import { CaptureError } from '../../captureError';
import type { Internals } from '../internals';

/** What capture needs to know of a model: its aggregate and how its rows are read. */
export interface CapturedModel {
  readonly name: string;
  readonly aggregate: Aggregate;
  /** The field that tells the rows apart: the aggregate's key. */
  readonly key: string;
  /** The fields of an image: all that the catalogue lists. */
  readonly fields: readonly string[];
  /** Names of the model's relation fields. */
  readonly relationFields: ReadonlySet<string>;
  /** Fields that this client hides unless asked for. */
  readonly hidden: ReadonlySet<string>;
  readonly uniqueFields: ReadonlySet<string>;
  /** All fields of the Prisma model. */
  readonly allFields: ReadonlySet<string>;
  /** The table's name. */
  readonly table: string;
  /** `schema.table`, quoted. */
  readonly sqlName: string;
  /** The columns of an image, each under its field's name, for a SELECT. */
  readonly sqlColumns: string;
  readonly sqlKey: string;
  /** The column of each field, quoted. */
  readonly columns: ReadonlyMap<string, string>;
  /** Enum fields whose members have other labels in the database. */
  readonly labels: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** @throws CaptureError when a model can't be captured by this engine, saying why. */
export function readModels(
  captured: ReadonlyMap<string, Aggregate>,
  internals: Internals,
): ReadonlyMap<string, CapturedModel> {
  const tables = readTables(internals.schema);
  return new Map(
    [...captured].map(([name, aggregate]) => [name, readModel(aggregate, tables.get(name), internals)]),
  );
}

function readModel(aggregate: Aggregate, table: Table | undefined, internals: Internals): CapturedModel {
  const name = aggregate.model;
  const runtime = internals.models[name];
  if (!table || !runtime) throw new CaptureError(`The Prisma schema has no model "${name}"`);
  const key = keyOf(aggregate, table);
  const [link] = Object.entries(aggregate.events).find(([, rule]) => isLinkRule(rule)) ?? [];
  if (link !== undefined)
    throw new CaptureError(
      `The middleware engine can't tell "${link}", which is about the rows of a many-to-many relation: they have no model. Use the trigger engine.`,
    );
  const columns = Object.keys(aggregate.fields).map((field) => columnOf(table, field));
  const omitted = internals.globalOmit[name.charAt(0).toLowerCase() + name.slice(1)] ?? {};
  return {
    name,
    aggregate,
    key,
    fields: columns.map(({ field }) => field),
    relationFields: new Set(
      runtime.fields.filter(({ kind }) => kind === 'object').map((field) => field.name),
    ),
    hidden: new Set(Object.keys(omitted).filter((field) => omitted[field])),
    uniqueFields: table.uniqueFields,
    allFields: new Set(runtime.fields.map((field) => field.name)),
    table: table.name,
    sqlName: `${quoted(table.schema ?? internals.defaultSchema)}.${quoted(table.name)}`,
    sqlColumns: columns
      .map(
        ({ field, column }) => `${quoted(column.name)}${column.members ? '::text' : ''} AS ${quoted(field)}`,
      )
      .join(', '),
    sqlKey: quoted(columnOf(table, key).column.name),
    columns: new Map([...table.columns].map(([field, { name: own }]) => [field, quoted(own)])),
    labels: new Map(columns.flatMap(({ field, column: { members } }) => renamed(field, members))),
  };
}

function columnOf(table: Table, field: string): { readonly field: string; readonly column: Column } {
  const column = table.columns.get(field);
  if (!column) throw new CaptureError(`The model "${table.model}" has no column for the field "${field}"`);
  if (column.list)
    throw new CaptureError(
      `The middleware engine can't capture ${table.model}.${field}, which is a list: take the field out of the aggregate, or use the trigger engine.`,
    );
  return { field, column };
}

function keyOf({ type, model, key }: Aggregate, table: Table): string {
  if (typeof key !== 'string')
    throw new CaptureError(
      `The middleware engine can't capture ${model}, whose aggregate "${type}" has the key ${key.join(', ')}: it knows keys of one field. Use the trigger engine, or give the model an @id of its own.`,
    );
  const { unique, nullable } = columnOf(table, key).column;
  if (!unique || nullable)
    throw new CaptureError(
      `The key of the aggregate "${type}" must tell the rows of ${model} apart: make "${key}" @id, or @unique and never null`,
    );
  return key;
}

const renamed = (field: string, members: Column['members']): [string, ReadonlyMap<string, string>][] =>
  members && [...members].some(([label, member]) => label !== member) ? [[field, members]] : [];
