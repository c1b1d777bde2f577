import { argumentOf, attributeOf, stringOf } from './attributes';
import { type JoinTable, joinTablesOf } from './joinTables';
import { idOf, uniqueKeys } from './keys';
import { parseSchema } from './parse';
import type { Attribute, Block, EnumBlock, FieldSyntax, RecordBlock } from './syntax';

/** A column of a model. */
export interface Column {
  /** The name in the database. */
  readonly name: string;
  readonly list: boolean;
  readonly nullable: boolean;
  /** Whether the column alone tells one row from all others. */
  readonly unique: boolean;
  /** Of an enum: its members by their label in the database, where the two may differ. */
  readonly members?: ReadonlyMap<string, string>;
}

/** A model as a table. */
export interface Table {
  readonly model: string;
  /** The Postgres schema, where `@@schema` names one. */
  readonly schema: string | undefined;
  readonly name: string;
  /** By the field's name in the model. */
  readonly columns: ReadonlyMap<string, Column>;
  /** The fields that are no columns but stand for other rows. */
  readonly relationFields: ReadonlySet<string>;
  /** The tables of implicit many-to-many relations, by the relation's field. */
  readonly joins: ReadonlyMap<string, JoinTable>;
  /** The fields of `@id` or `@@id`; none where the model has neither. */
  readonly id: readonly string[];
  /** The fields of each key that tells every row from all others. */
  readonly keys: readonly (readonly string[])[];
  /** The fields that are part of a unique key, alone or with others, of all rows or of some. */
  readonly uniqueFields: ReadonlySet<string>;
}

/** Whether the values of these fields tell every row from all others, as long as none of them is null. */
export function tellsRowsApart({ keys }: Table, fields: readonly string[]): boolean {
  return keys.some((key) => key.every((field) => fields.includes(field)));
}

/** The models of a Prisma schema as tables, by name; views and composite types have none. @throws SchemaError */
export function readTables(schema: string): ReadonlyMap<string, Table> {
  const blocks = parseSchema(schema);
  const types = new Map(blocks.filter(isType).map((type) => [type.name, type]));
  const models = [...types.values()].filter(isModel);
  return new Map(models.map((model) => [model.name, readTable(model, types)]));
}

type Type = RecordBlock | EnumBlock;

const isModel = (type: Type): type is RecordBlock => type.kind === 'model';

/** The other blocks have names of their own, which no field means. */
const isType = (block: Block): block is Type => block.kind !== 'datasource' && block.kind !== 'generator';

const isRow = (type: Type | undefined): type is RecordBlock => type !== undefined && type.kind !== 'enum';

function readTable(model: RecordBlock, types: ReadonlyMap<string, Type>): Table {
  const keys = uniqueKeys(model);
  const total = keys.filter((key) => key.total).map(({ fields }) => fields);
  const alone = new Set(total.flatMap((fields) => (fields.length === 1 ? fields : [])));
  const columns = model.fields.flatMap((field): [string, Column][] => {
    const type = types.get(field.type ?? '');
    if (isRow(type)) return [];
    return [[field.name, readColumn(field, alone.has(field.name), type)]];
  });
  return {
    model: model.name,
    schema: stringOf(argumentOf(attributeOf(model, 'schema'), 'map', true)),
    name: databaseName(model),
    columns: new Map(columns),
    relationFields: new Set(
      model.fields.filter((field) => isRow(types.get(field.type ?? ''))).map(({ name }) => name),
    ),
    joins: joinTablesOf(model, [...types.values()].filter(isModel)),
    id: idOf(model),
    keys: total,
    uniqueFields: new Set(keys.flatMap(({ fields }) => fields)),
  };
}

function readColumn(field: FieldSyntax, unique: boolean, type: EnumBlock | undefined): Column {
  return {
    name: databaseName(field),
    list: field.list,
    nullable: field.optional,
    unique,
    ...(type ? { members: new Map(type.members.map((member) => [databaseName(member), member.name])) } : {}),
  };
}

/** The name in the database, which `@map("…")` may set apart from the one in the schema. */
function databaseName(named: { readonly name: string; readonly attributes: readonly Attribute[] }): string {
  return stringOf(argumentOf(attributeOf(named, 'map'), 'name', true)) ?? named.name;
}
