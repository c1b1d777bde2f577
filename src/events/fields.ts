import { z } from 'zod';

/** How a value is written in JSON. Both capture engines encode by kind, so that their rows are equal. */
export type FieldKind =
  | 'uuid'
  | 'text'
  | 'datetime'
  | 'date'
  | 'int'
  | 'bigint'
  | 'decimal'
  | 'float'
  | 'boolean'
  | 'bytes'
  | 'json'
  | 'enum';

/**
 * How sensitive a field's value is.
 * - `identifier`: names a record, says nothing about a person.
 * - `operational`: describes the business, not a person.
 * - `personal`: may be in an event, never in a log line, a metric or a header.
 * - `restricted`: never leaves the database. An event may say *that* it changed, never what it holds.
 */
export type Sensitivity = 'identifier' | 'operational' | 'personal' | 'restricted';

/** A model's field as events know it. */
export interface Field<
  As extends string = string,
  Kind extends FieldKind = FieldKind,
  Wire = unknown,
  Class extends Sensitivity = Sensitivity,
> {
  /** The field's name in an event's data. */
  readonly as: As;
  readonly kind: Kind;
  readonly class: Class;
  /** What the JSON value must look like. */
  readonly schema: z.ZodType<Wire>;
  /**
   * A regular expression that fits the value's JSON text as both engines write it, and fits only what `schema` accepts.
   * Without one the value has to be parsed to be checked (see checkData.ts).
   */
  readonly pattern?: string;
  /** The model's field is a list; `kind` is that of its elements. */
  readonly list?: true;
}

/** A field of which a model has a list. */
export interface ListField<
  As extends string = string,
  Kind extends FieldKind = FieldKind,
  Element = unknown,
  Class extends Sensitivity = Sensitivity,
> extends Field<As, Kind, Element[], Class> {
  readonly list: true;
}

type CarriedClass = Exclude<Sensitivity, 'restricted'>;

function maker<Kind extends FieldKind, Wire>(kind: Kind, schema: z.ZodType<Wire>, pattern?: string) {
  return <As extends string, Class extends CarriedClass>(
    as: As,
    sensitivity: Class,
  ): Field<As, Kind, Wire, Class> => ({
    as,
    kind,
    class: sensitivity,
    schema,
    ...(pattern === undefined ? {} : { pattern }),
  });
}

const guid = '[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}';
/** No day beyond the 28th: which months have more is left to the schema. */
const day = '\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\\d|2[0-8])';
const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z';

/** Any UUID that Postgres takes, with or without a version (RFC 9562) in it. */
export const uuid = maker('uuid', z.guid(), `"${guid}"`);
export const text = maker('text', z.string(), '"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"');
/** An instant of the years 1 to 9999, as ISO 8601 in UTC with milliseconds. */
export const datetime = maker('datetime', z.iso.datetime(), `"${day}T${time}"`);
/** A calendar day of the years 1 to 9999, `YYYY-MM-DD`. */
export const date = maker('date', z.iso.date(), `"${day}"`);
export const int = maker('int', z.int(), '-?\\d{1,15}');
/** A 64-bit integer, as a string of digits: JSON readers lose digits beyond 2^53. */
export const bigint = maker('bigint', z.string().regex(/^-?\d+$/), '"-?\\d+"');
/** A finite decimal number of any length, as a string in plain notation. */
export const decimal = maker('decimal', z.string().regex(/^-?\d+(\.\d+)?$/), '"-?\\d+(?:\\.\\d+)?"');
/** A number; null for NaN and the infinities, for which JSON has no word. */
export const float = maker('float', z.number().nullable(), '-?\\d{1,21}(?:\\.\\d+)?|null');
export const boolean = maker('boolean', z.boolean(), 'true|false');
/** Bytes, as base64. Not z.base64(): JSON Schema has no format of that name, and strict validators refuse the schema. */
export const bytes = maker(
  'bytes',
  z
    .string()
    .regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/)
    .meta({ contentEncoding: 'base64' }),
);
/** Any JSON value that Postgres' jsonb can hold. */
export const json = maker('json', z.unknown());

/** One of a fixed set of words. */
export function oneOf<
  As extends string,
  Class extends CarriedClass,
  const Values extends readonly [string, ...string[]],
>(as: As, sensitivity: Class, values: Values): Field<As, 'enum', Values[number], Class> {
  const plain = values.every((value) => /^\w+$/.test(value));
  const pattern = plain ? { pattern: `"(?:${values.join('|')})"` } : {};
  return { as, kind: 'enum', class: sensitivity, schema: z.enum(values), ...pattern };
}

/** The same field where the model allows null. */
export function nullable<As extends string, Kind extends FieldKind, Wire, Class extends Sensitivity>(
  field: Field<As, Kind, Wire, Class>,
): Field<As, Kind, Wire | null, Class> {
  const pattern = field.pattern === undefined ? {} : { pattern: `(?:${field.pattern})|null` };
  return { ...field, schema: field.schema.nullable(), ...pattern };
}

/** The same field where the model has a list of it: `list(text('tags', 'operational'))` for `tags String[]`. */
export function list<As extends string, Kind extends FieldKind, Wire, Class extends Sensitivity>(
  field: Field<As, Kind, Wire, Class>,
): ListField<As, Kind, Wire, Class> {
  const { pattern, ...element } = field;
  return {
    ...element,
    schema: z.array(field.schema),
    list: true,
    ...(pattern === undefined ? {} : { pattern: `\\[(?:(?:${pattern})(?:,(?:${pattern}))*)?\\]` }),
  };
}

/** A field whose value is in no event; `as` is the name under which `changed_fields` may mention it. */
export function restricted<As extends string>(as: As): Field<As, 'text', never, 'restricted'> {
  return { as, kind: 'text', class: 'restricted', schema: z.never() };
}

/**
 * What an event can carry of a field, by its kind, as the end of a sentence. A column may hold more (NaN, infinity,
 * years before Christ): a write of that is refused by whichever engine captures it.
 */
export const carriable: Readonly<Record<FieldKind, string>> = {
  uuid: 'a UUID',
  text: 'a text',
  datetime: 'a time in the years 1 to 9999',
  date: 'a day in the years 1 to 9999',
  int: 'a whole number',
  bigint: 'a whole number',
  decimal: 'a finite number',
  float: 'a number',
  boolean: 'true or false',
  bytes: 'bytes',
  json: 'JSON without NUL, halves of surrogate pairs and numbers beyond 1e308',
  enum: 'one of the words that the catalogue lists',
};
