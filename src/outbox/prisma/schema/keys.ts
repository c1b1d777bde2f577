import { argumentOf, attributeOf, fieldNamesOf } from './attributes';
import type { Attribute, RecordBlock } from './syntax';

/*
 * The unique keys of a model: `@id` and `@unique` of a field, `@@id` and `@@unique` of the model.
 *
 * One with a condition (`where`) is an index that leaves rows out, so it tells only some of them apart.
 */

/** The fields of each unique key; `total` for a key of all rows. */
export interface UniqueKey {
  readonly fields: readonly string[];
  readonly total: boolean;
}

export function uniqueKeys(block: RecordBlock): UniqueKey[] {
  const ofFields = block.fields.flatMap((field) =>
    ['id', 'unique'].flatMap((name) => {
      const attribute = attributeOf(field, name);
      return attribute ? [{ fields: [field.name], total: isTotal(attribute) }] : [];
    }),
  );
  const ofModel = block.attributes
    .filter(({ name }) => name === 'id' || name === 'unique')
    .map((attribute) => ({
      fields: fieldNamesOf(argumentOf(attribute, 'fields', true)),
      total: isTotal(attribute),
    }));
  return [...ofFields, ...ofModel];
}

const isTotal = (attribute: Attribute): boolean => argumentOf(attribute, 'where') === undefined;

/** The fields of `@id` or `@@id`; none where the model has neither. */
export function idOf(block: RecordBlock): readonly string[] {
  const alone = block.fields.find((field) => attributeOf(field, 'id') !== undefined);
  return alone ? [alone.name] : fieldNamesOf(argumentOf(attributeOf(block, 'id'), 'fields', true));
}
