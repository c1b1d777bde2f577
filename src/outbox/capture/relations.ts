/*
 * Reads the relations of a Prisma schema from its text: who holds the foreign key, and what the database does to the
 * holder when the other side goes or changes its key. The client's data model, pruned at run time, knows neither.
 */

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
  /** Whether the database, or Prisma, gives a row a target when nobody names one. */
  readonly defaulted: boolean;
  readonly onDelete: ReferentialAction;
  readonly onUpdate: ReferentialAction;
  /** Whether many rows may point to the same target: the other side is a list. */
  readonly manyToOne: boolean;
}

interface FieldLine {
  readonly model: string;
  readonly name: string;
  readonly type: string;
  readonly list: boolean;
  readonly optional: boolean;
  readonly relation: string | undefined;
  readonly defaulted: boolean;
}

/** All relations of a schema that have a foreign key. */
export function readRelations(schema: string): Relation[] {
  const fields = readFields(schema);
  return fields.flatMap((field) => {
    const keys = listOf(field.relation, 'fields');
    if (keys.length === 0) return [];
    const inverse = fields.find((other) => isOtherSide(field, other));
    return [
      {
        model: field.model,
        field: field.name,
        keys,
        target: field.type,
        references: listOf(field.relation, 'references'),
        inverse: inverse?.name,
        optional: field.optional,
        defaulted: fields.some(
          (other) => other.model === field.model && keys.includes(other.name) && other.defaulted,
        ),
        onDelete: action(field.relation, 'onDelete') ?? (field.optional ? 'SetNull' : 'Restrict'),
        onUpdate: action(field.relation, 'onUpdate') ?? 'Cascade',
        manyToOne: inverse?.list ?? false,
      },
    ];
  });
}

/** Scalar fields that are part of a unique key, alone or with others, by model. */
export function readUniqueFields(schema: string, model: string): ReadonlySet<string> {
  const body = bodies(schema).find(([name]) => name === model)?.[1] ?? '';
  const unique = new Set<string>();
  for (const line of body.split('\n')) {
    const block = /^\s*@@(?:id|unique)\(.*?\[([^\]]*)\]/.exec(line)?.[1];
    const alone = /^\s*(\w+)\s.*@(?:id|unique)\b/.exec(line)?.[1];
    if (alone !== undefined) unique.add(alone);
    for (const part of block?.split(',') ?? []) unique.add(/\w+/.exec(part)?.[0] ?? '');
  }
  return unique;
}

function isOtherSide(field: FieldLine, other: FieldLine): boolean {
  return (
    other !== field &&
    other.model === field.type &&
    other.type === field.model &&
    listOf(other.relation, 'fields').length === 0 &&
    nameOf(other.relation) === nameOf(field.relation)
  );
}

function readFields(schema: string): FieldLine[] {
  return bodies(schema).flatMap(([model, body]) =>
    [...body.matchAll(/^[ \t]*(\w+)[ \t]+(\w+)(\[\])?(\?)?[ \t]*(.*)$/gm)].map(
      ([, name = '', type = '', list, optional, attributes = '']) => ({
        model,
        name,
        type,
        list: list !== undefined,
        optional: optional !== undefined,
        defaulted: /@default\b/.test(attributes),
        relation: /@relation\(((?:[^()"]|"[^"]*"|\([^()]*\))*)\)/.exec(attributes)?.[1],
      }),
    ),
  );
}

/** Name and text of each model, without comments, each attribute on one line. */
function bodies(schema: string): [string, string][] {
  const plain = schema.replaceAll(/("(?:[^"\\\n]|\\.)*")|\/\/[^\n]*/g, (_, text?: string) => text ?? '');
  const joined = plain.replaceAll(/\([^()]*(?:\([^()]*\)[^()]*)*\)/g, (text) => text.replaceAll(/\s+/g, ' '));
  return [...joined.matchAll(/^\s*model\s+(\w+)\s*\{([^}]*)\}/gm)].map(([, name = '', body = '']) => [
    name,
    body,
  ]);
}

function listOf(relation: string | undefined, argument: string): string[] {
  const list = new RegExp(`\\b${argument}:\\s*\\[([^\\]]*)\\]`).exec(relation ?? '')?.[1] ?? '';
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function action(relation: string | undefined, argument: string): ReferentialAction | undefined {
  return new RegExp(`\\b${argument}:\\s*(\\w+)`).exec(relation ?? '')?.[1] as ReferentialAction | undefined;
}

function nameOf(relation: string | undefined): string {
  return /^\s*(?:name:\s*)?"([^"]*)"/.exec(relation ?? '')?.[1] ?? '';
}
