import { argumentOf, attributeOf, stringOf } from './attributes';
import type { FieldSyntax, RecordBlock } from './syntax';

/** The table of an implicit many-to-many relation, seen from one of its fields. It has two columns, `A` and `B`. */
export interface JoinTable {
  /** The Postgres schema, where `@@schema` names one. */
  readonly schema: string | undefined;
  readonly name: string;
  /** The model at the other end. */
  readonly target: string;
  /** The column with the `@id` of the field's own model. */
  readonly own: 'A' | 'B';
  readonly other: 'A' | 'B';
}

/**
 * The join tables of a model's relations, by field. Prisma calls the table after the relation, with `_` before it; `A`
 * stands for the model whose name comes first, and within one model for the field whose name does.
 */
export function joinTablesOf(model: RecordBlock, models: readonly RecordBlock[]): Map<string, JoinTable> {
  return new Map(
    model.fields.flatMap((field): [string, JoinTable][] => {
      const target = models.find(({ name }) => name === field.type);
      const inverse = target?.fields.find((other) => isOtherEnd(model, field, target, other));
      if (!target || !inverse || !isBare(field) || !isBare(inverse)) return [];
      const isSelf = target.name === model.name;
      const first = isSelf ? field.name < inverse.name : model.name < target.name;
      const holder = first ? model : target;
      const own = first ? 'A' : 'B';
      return [
        [
          field.name,
          {
            schema: stringOf(argumentOf(attributeOf(holder, 'schema'), 'map', true)),
            name: `_${nameOf(model, field, target)}`,
            target: target.name,
            own,
            other: own === 'A' ? 'B' : 'A',
          },
        ],
      ];
    }),
  );
}

/** A list without a foreign key. */
const isBare = (field: FieldSyntax): boolean =>
  field.list && argumentOf(attributeOf(field, 'relation'), 'fields') === undefined;

function isOtherEnd(
  model: RecordBlock,
  field: FieldSyntax,
  target: RecordBlock,
  other: FieldSyntax,
): boolean {
  if (other.type !== model.name || (target.name === model.name && other.name === field.name)) return false;
  return nameOf(model, field, target) === nameOf(target, other, model);
}

const nameOf = (model: RecordBlock, field: FieldSyntax, target: RecordBlock): string =>
  stringOf(argumentOf(attributeOf(field, 'relation'), 'name', true)) ??
  [model.name, target.name].sort().join('To');
