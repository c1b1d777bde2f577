import { argumentOf, attributeOf, fieldNamesOf, stringOf, wordOf } from './attributes';
import { parseSchema } from './parse';
import type { Block, FieldSyntax, RecordBlock } from './syntax';

export type ReferentialAction = 'Cascade' | 'Restrict' | 'NoAction' | 'SetNull' | 'SetDefault';

/** A relation field, from the side that holds the foreign key. */
export interface Relation {
  /** The model that holds the foreign key, and its field. */
  readonly model: string;
  readonly field: string;
  /** The scalar fields of the foreign key. */
  readonly keys: readonly string[];
  readonly target: string;
  /** The fields of the target that the keys point to. */
  readonly references: readonly string[];
  /** The field of the target that is the relation's other end. */
  readonly inverse: string | undefined;
  /** Whether a row may point to nothing. */
  readonly optional: boolean;
  /** Whether the database, or Prisma, gives a row a target when a write names none. */
  readonly defaulted: boolean;
  /** What the database does to the holder when the target is deleted, or its key changes. */
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  /** Whether many rows may point to the same target: the other side is a list. */
  readonly manyToOne: boolean;
}

interface RelationField {
  readonly model: RecordBlock;
  readonly field: FieldSyntax;
  readonly target: RecordBlock;
  /** As in Prisma's data model: two fields with the same name and each other's model are one relation. */
  readonly name: string;
  readonly keys: readonly string[];
}

/** All relations of a schema that have a foreign key in the database: not those of views. @throws SchemaError */
export function readRelations(schema: string): Relation[] {
  const blocks = parseSchema(schema);
  const models = blocks.filter((block): block is RecordBlock => block.kind === 'model');
  const fields = models.flatMap((model) => relationFields(model, models));
  return fields.filter(({ keys }) => keys.length > 0).map((field) => readRelation(field, fields));
}

/** Whether foreign keys guard the relations in the database: not with `relationMode = "prisma"`. @throws SchemaError */
export function hasForeignKeys(schema: string): boolean {
  const modes = parseSchema(schema).map((block: Block) =>
    block.kind === 'datasource' ? stringOf(block.settings.get('relationMode')) : undefined,
  );
  return !modes.includes('prisma');
}

function relationFields(model: RecordBlock, models: readonly RecordBlock[]): RelationField[] {
  return model.fields.flatMap((field) => {
    const target = models.find(({ name }) => name === field.type);
    if (!target) return [];
    const attribute = attributeOf(field, 'relation');
    const name = stringOf(argumentOf(attribute, 'name', true)) ?? [model.name, target.name].sort().join('To');
    return [{ model, field, target, name, keys: fieldNamesOf(argumentOf(attribute, 'fields')) }];
  });
}

function readRelation(relation: RelationField, all: readonly RelationField[]): Relation {
  const { model, field, target, keys } = relation;
  const attribute = attributeOf(field, 'relation');
  const inverse = all.find((other) => isOtherSide(relation, other))?.field;
  const keyFields = model.fields.filter(({ name }) => keys.includes(name));
  // Prisma lets an optional relation have keys that cannot be null, and then gives it the actions of a required one.
  const canBeNull = field.optional && keyFields.every(({ optional }) => optional);
  return {
    model: model.name,
    field: field.name,
    keys,
    target: target.name,
    references: fieldNamesOf(argumentOf(attribute, 'references')),
    inverse: inverse?.name,
    optional: field.optional,
    defaulted: keyFields.some((key) => attributeOf(key, 'default') !== undefined),
    onDelete: actionOf(argumentOf(attribute, 'onDelete')) ?? (canBeNull ? 'SetNull' : 'Restrict'),
    onUpdate: actionOf(argumentOf(attribute, 'onUpdate')) ?? 'Cascade',
    manyToOne: inverse?.list ?? false,
  };
}

const actionOf = (value: Parameters<typeof wordOf>[0]): ReferentialAction | undefined =>
  wordOf(value) as ReferentialAction | undefined;

/** Prisma refuses a third field of the same relation. */
function isOtherSide(relation: RelationField, other: RelationField): boolean {
  return (
    other.field !== relation.field &&
    other.model === relation.target &&
    other.target === relation.model &&
    other.name === relation.name
  );
}
