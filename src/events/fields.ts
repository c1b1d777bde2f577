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
}

type CarriedClass = Exclude<Sensitivity, 'restricted'>;

function maker<Kind extends FieldKind, Wire>(kind: Kind, schema: z.ZodType<Wire>) {
  return <As extends string, Class extends CarriedClass>(
    as: As,
    sensitivity: Class,
  ): Field<As, Kind, Wire, Class> => ({
    as,
    kind,
    class: sensitivity,
    schema,
  });
}

export const uuid = maker('uuid', z.uuid());
export const text = maker('text', z.string());
/** An instant, as ISO 8601 in UTC with milliseconds. */
export const datetime = maker('datetime', z.iso.datetime());
/** A calendar day, `YYYY-MM-DD`. */
export const date = maker('date', z.iso.date());
export const int = maker('int', z.int());
/** A 64-bit integer, as a string of digits: JSON readers lose digits beyond 2^53. */
export const bigint = maker('bigint', z.string().regex(/^-?\d+$/));
/** A decimal number of any length, as a string in plain notation. */
export const decimal = maker('decimal', z.string().regex(/^-?\d+(\.\d+)?$/));
export const float = maker('float', z.number());
export const boolean = maker('boolean', z.boolean());
/** Bytes, as base64. */
export const bytes = maker('bytes', z.base64());
export const json = maker('json', z.unknown());

/** One of a fixed set of words. */
export function oneOf<
  As extends string,
  Class extends CarriedClass,
  const Values extends readonly [string, ...string[]],
>(as: As, sensitivity: Class, values: Values): Field<As, 'enum', Values[number], Class> {
  return { as, kind: 'enum', class: sensitivity, schema: z.enum(values) };
}

/** The same field where the model allows null. */
export function nullable<As extends string, Kind extends FieldKind, Wire, Class extends Sensitivity>(
  field: Field<As, Kind, Wire, Class>,
): Field<As, Kind, Wire | null, Class> {
  return { ...field, schema: field.schema.nullable() };
}

/** A field whose value is in no event; `as` is the name under which `changed_fields` may mention it. */
export function restricted<As extends string>(as: As): Field<As, 'text', never, 'restricted'> {
  return { as, kind: 'text', class: 'restricted', schema: z.never() };
}
