import type { Aggregate } from '../../../events/aggregate';
import { readTables } from '../schema/tables';
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
  const models = new Map<string, CapturedModel>();
  for (const [name, aggregate] of captured) {
    const table = tables.get(name);
    const runtime = internals.models[name];
    if (!table || !runtime) throw new CaptureError(`The Prisma schema has no model "${name}"`);
    const column = (field: string) => {
      const found = table.columns.get(field);
      if (!found || found.list)
        throw new CaptureError(`The model "${name}" has no single column for "${field}"`);
      return found;
    };
    if (!column(aggregate.key).unique) {
      throw new CaptureError(
        `The key of the aggregate "${aggregate.type}" must tell the rows of ${name} apart: make "${aggregate.key}" @id or @unique`,
      );
    }
    const fields = Object.keys(aggregate.fields);
    const omitted = internals.globalOmit[name.charAt(0).toLowerCase() + name.slice(1)] ?? {};
    models.set(name, {
      name,
      aggregate,
      key: aggregate.key,
      fields,
      relationFields: new Set(
        runtime.fields.filter(({ kind }) => kind === 'object').map((field) => field.name),
      ),
      hidden: new Set(Object.keys(omitted).filter((field) => omitted[field])),
      uniqueFields: table.uniqueFields,
      allFields: new Set(runtime.fields.map((field) => field.name)),
      table: table.name,
      sqlName: `${quoted(table.schema ?? internals.defaultSchema)}.${quoted(table.name)}`,
      sqlColumns: fields
        .map(
          (field) =>
            `${quoted(column(field).name)}${column(field).members ? '::text' : ''} AS ${quoted(field)}`,
        )
        .join(', '),
      sqlKey: quoted(column(aggregate.key).name),
      columns: new Map([...table.columns].map(([field, { name: own }]) => [field, quoted(own)])),
      labels: new Map(
        fields.flatMap((field) => {
          const { members } = column(field);
          return members && [...members].some(([label, member]) => label !== member)
            ? [[field, members]]
            : [];
        }),
      ),
    });
  }
  return models;
}
