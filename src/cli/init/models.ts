import { attributeOf, stringOf } from '../../outbox/prisma/schema/attributes';
import { idOf } from '../../outbox/prisma/schema/keys';
import { parseSchema } from '../../outbox/prisma/schema/parse';
import type { Block, EnumBlock, FieldSyntax, RecordBlock } from '../../outbox/prisma/schema/syntax';
import { distinct, snake } from './names';
import { UserError } from '../../shared/lifecycle';

/** A model that can be captured, as far as a catalogue names it. */
export interface CapturableModel {
  readonly name: string;
  /** The aggregate's type. No two models have one. */
  readonly type: string;
  /** The fields of its @id or @@id. */
  readonly key: readonly string[];
  readonly fields: readonly ModelField[];
}

export interface ModelField {
  readonly name: string;
  /** Its name in events. No two fields of a model have one. */
  readonly as: string;
  /** How the catalogue declares the field once it is opened: the maker's name, and its values for an enum. */
  readonly maker: string;
  readonly values?: readonly string[];
  readonly nullable: boolean;
  readonly list: boolean;
}

export interface Models {
  readonly capturable: readonly CapturableModel[];
  /** The others, each with the reason. */
  readonly others: readonly { readonly name: string; readonly reason: string }[];
}

const makers: Readonly<Record<string, string>> = {
  String: 'text',
  Boolean: 'boolean',
  Int: 'int',
  BigInt: 'bigint',
  Float: 'float',
  Decimal: 'decimal',
  DateTime: 'datetime',
  Json: 'json',
  Bytes: 'bytes',
};
/** What can be a message's key. */
const keyMakers: ReadonlySet<string> = new Set(['uuid', 'text', 'int', 'bigint', 'oneOf', 'date']);

/** The models of a Prisma schema. @throws UserError when it is not one of Postgres. */
export function readModels(schema: string): Models {
  const blocks = parseSchema(schema);
  refuseOtherDatabases(blocks);
  const enums = new Map(
    blocks.filter((block): block is EnumBlock => block.kind === 'enum').map((block) => [block.name, block]),
  );
  const models = blocks.filter((block): block is RecordBlock => block.kind === 'model');
  const types = distinct(models.map(({ name }) => snake(name)));
  const read = models.map((model, at) => readModel(model, types[at] ?? '', enums));
  return {
    capturable: read.flatMap((each) => ('key' in each ? [each] : [])),
    others: read.flatMap((each) => ('reason' in each ? [each] : [])),
  };
}

function refuseOtherDatabases(blocks: readonly Block[]): void {
  for (const block of blocks) {
    if (block.kind !== 'datasource') continue;
    const provider = stringOf(block.settings.get('provider'));
    if (provider !== undefined && provider !== 'postgresql' && provider !== 'postgres')
      throw new UserError(`The schema is one of ${provider}: Signalbox needs provider = "postgresql".`);
  }
}

function readModel(
  model: RecordBlock,
  type: string,
  enums: ReadonlyMap<string, EnumBlock>,
): CapturableModel | Models['others'][number] {
  const { name } = model;
  if (attributeOf(model, 'ignore')) return { name, reason: 'it is marked @@ignore' };
  const read = model.fields.flatMap((field) => readField(field, enums));
  // Never another unique field: it would leave the database as the key of each message, and may be an e-mail address.
  const ids = idOf(model);
  if (ids.length === 0) return { name, reason: 'it has no @id' };
  const names = new Set(
    read.filter(({ maker, list }) => keyMakers.has(maker) && !list).map((field) => field.name),
  );
  const unfit = ids.find((id) => !names.has(id));
  if (unfit !== undefined)
    return {
      name,
      reason: `its @id has ${unfit}, which is not a text, a UUID, a whole number, a day or an enum`,
    };
  const all = read.map((field) => field.name);
  const as = distinct(all.map((field) => (ids.includes(field) ? nameOf(field, type, all) : snake(field))));
  return { name, type, key: ids, fields: read.map((field, at) => ({ ...field, as: as[at] ?? '' })) };
}

/** `id` is `order_id` in the events of orders, unless another field has that name or it is too long for a column. */
function nameOf(field: string, type: string, names: readonly string[]): string {
  const qualified = `${type}_id`;
  if (Buffer.byteLength(qualified) > 63) return snake(field);
  return field === 'id' && !names.some((name) => snake(name) === qualified) ? qualified : snake(field);
}

function readField(field: FieldSyntax, enums: ReadonlyMap<string, EnumBlock>): Omit<ModelField, 'as'>[] {
  const { name, type = '', list, optional: nullable } = field;
  if (attributeOf(field, 'ignore')) return [];
  const members = enums.get(type)?.members;
  const values = members && { values: members.map((member) => member.name) };
  const maker = members ? 'oneOf' : makerOf(field, type);
  return maker === undefined ? [] : [{ name, maker, ...values, nullable, list }];
}

function makerOf(field: FieldSyntax, type: string): string | undefined {
  if (attributeOf(field, 'db.Uuid')) return 'uuid';
  return attributeOf(field, 'db.Date') ? 'date' : makers[type];
}
