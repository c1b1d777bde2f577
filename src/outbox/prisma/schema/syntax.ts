/*
 * A Prisma schema as it is written: blocks, their fields and attributes. Nothing is resolved: a field's type is a name.
 */

/** What an attribute or a setting is given. Names, numbers and `true` are words. */
export type Value =
  | { readonly kind: 'string' | 'word'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  | { readonly kind: 'call'; readonly text: string; readonly given: readonly Argument[] }
  | { readonly kind: 'object'; readonly given: readonly Argument[] };

export interface Argument {
  /** Undefined when it is known by its place. */
  readonly name: string | undefined;
  readonly value: Value;
}

/** `@name(…)` or `@@name(…)`; the name of `@db.Uuid` is `db.Uuid`. */
export interface Attribute {
  readonly name: string;
  readonly given: readonly Argument[];
}

/** A field of a model, a view or a composite type. */
export interface FieldSyntax {
  readonly name: string;
  /** The type's name, without `?` and `[]`; undefined for `Unsupported("…")`. */
  readonly type: string | undefined;
  readonly list: boolean;
  readonly optional: boolean;
  readonly attributes: readonly Attribute[];
}

export interface EnumMember {
  readonly name: string;
  readonly attributes: readonly Attribute[];
}

interface Named<Kind extends string> {
  readonly kind: Kind;
  readonly name: string;
}

/** A model, a view (rows that the database computes) or a composite type (no table at all). */
export interface RecordBlock extends Named<'model' | 'view' | 'type'> {
  readonly fields: readonly FieldSyntax[];
  /** Those that begin with `@@`. */
  readonly attributes: readonly Attribute[];
}

export interface EnumBlock extends Named<'enum'> {
  readonly members: readonly EnumMember[];
  readonly attributes: readonly Attribute[];
}

export interface SettingsBlock extends Named<'datasource' | 'generator'> {
  readonly settings: ReadonlyMap<string, Value>;
}

export type Block = RecordBlock | EnumBlock | SettingsBlock;
