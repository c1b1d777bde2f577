import { z } from 'zod';
import type { Field, FieldKind, Sensitivity } from './fields';
import type { notNull } from './notNull';

/** The fields of one model that events know, by the model's own names. A field that is not listed is in no event. */
export type Fields = Readonly<Record<string, Field>>;

/** The names of the fields whose values may be in an event. */
export type CarriedField<F extends Fields> = {
  [K in keyof F & string]: F[K]['class'] extends Exclude<Sensitivity, 'restricted'> ? K : never;
}[keyof F & string];

/**
 * Which change of a row an event stands for, and which of the row's fields it carries.
 * `Carried` are the fields whose values may be in an event, `Listed` all that the aggregate lists.
 */
export type EventRule<Carried extends string = string, Listed extends string = string> =
  | {
      readonly on: 'create' | 'delete';
      readonly carries: readonly Carried[];
      /** As with 'update'. */
      readonly added?: readonly string[];
    }
  | {
      readonly on: 'update';
      /**
       * - `changed`: one of these fields has another value than before.
       * - `becomes`: the field has this value now and had another before; null, or `notNull` for any value, too.
       */
      readonly when:
        | { readonly changed: readonly Listed[] }
        | { readonly becomes: { readonly field: Carried; readonly value: string | number | boolean } }
        | { readonly becomes: { readonly field: Listed; readonly value: null | typeof notNull } };
      readonly carries: readonly Carried[];
      /** Fields whose value before the change is carried too, as `previous_<name>`. */
      readonly previous?: readonly Carried[];
      /** Whether `changed_fields` lists the names of the fields that changed, of those that `when` watches. */
      readonly changedFields?: true;
      /**
       * Names in the event's `data` that were added to it after it had been published for the first time. Every event is
       * written with them; whoever reads must do without, for older ones and those of instances not yet renewed lack them.
       */
      readonly added?: readonly string[];
    }
  | {
      /**
       * A row of the model was linked to one of another, or is linked to it no longer, through an implicit many-to-many
       * relation. The trigger engine tells it.
       */
      readonly on: 'link' | 'unlink';
      /** The relation field of the model. */
      readonly relation: string;
      /** The key and nothing else: the row that holds the rest may be gone by then. */
      readonly carries: readonly Carried[];
      /** The `@id` of the other row, as the event names it. Nothing personal: erasure knows the fields of the aggregate. */
      readonly other: Field<string, FieldKind, unknown, 'identifier' | 'operational'>;
      /** As with 'update'. */
      readonly added?: readonly string[];
    };

/** What can happen to a row. */
export type RowOperation = 'create' | 'update' | 'delete';

/** A rule about links. */
export type LinkRule = Extract<EventRule, { readonly relation: string }>;

export const isLinkRule = (rule: EventRule): rule is LinkRule => 'relation' in rule;

/** One model of the database and the events that its changes mean. */
export interface Aggregate<
  Type extends string = string,
  Model extends string = string,
  F extends Fields = Fields,
  Rules extends Readonly<Record<string, EventRule>> = Readonly<Record<string, EventRule>>,
> {
  /** `metadata.aggregate_type`. */
  readonly type: Type;
  /** The Prisma model. */
  readonly model: Model;
  /**
   * The field that identifies the aggregate, or the fields that do together: the message key. Of several, it is their
   * values joined by ":", each with its own "%" and ":" percent-encoded.
   */
  readonly key: string | readonly [string, string, ...string[]];
  /** `metadata.version` of its events: raised when the meaning of a field changes, not when one is added. */
  readonly version: string;
  readonly fields: F;
  /** By event type. When one change means several events, they are appended in this order. */
  readonly events: Rules;
}

type KeyOf<Name extends string> = Name | readonly [Name, Name, ...Name[]];

/** The fields that identify an aggregate. */
export function keyFields({ key }: Pick<Aggregate, 'key'>): readonly [string, ...string[]] {
  return typeof key === 'string' ? [key] : key;
}

/** Declares an aggregate; the compiler checks that every rule names listed, carried fields. */
export function defineAggregate<
  const Type extends string,
  const Model extends string,
  F extends Fields,
  const Rules extends Readonly<Record<string, EventRule<CarriedField<F>, keyof F & string>>>,
>(
  aggregate: Aggregate<Type, Model, F, Rules> & { readonly key: KeyOf<keyof F & string> },
): Aggregate<Type, Model, F, Rules> {
  return aggregate;
}

type Wire<F> = F extends Field<string, infer _Kind, infer W> ? W : never;
type Carried<F extends Fields, Names> = Names extends readonly (keyof F & string)[]
  ? { [K in Names[number] as F[K]['as']]: Wire<F[K]> }
  : unknown;
type Previous<F extends Fields, Names> = Names extends readonly (keyof F & string)[]
  ? { [K in Names[number] as `previous_${F[K]['as']}`]: Wire<F[K]> }
  : unknown;
type Flat<T> = { [K in keyof T]: T[K] };

/** What was added to an event later may be absent from `data`. */
type Tolerant<Data, Rule> = Rule extends { added: readonly (infer Added extends string)[] }
  ? Omit<Data, Added> & { [K in keyof Data & Added]?: Data[K] }
  : Data;

type RuleData<F extends Fields, Rule> = Carried<F, Rule extends { carries: infer N } ? N : never> &
  (Rule extends { previous: infer N } ? Previous<F, N> : unknown) &
  (Rule extends { changedFields: true } ? { changed_fields: string[] } : unknown) &
  (Rule extends { other: infer Other extends Field } ? { [K in Other['as']]: Wire<Other> } : unknown);

/** The type of an event's `data`, derived from its rule. */
export type DataOf<A, Type> = A extends { fields: infer F extends Fields; events: infer Rules }
  ? Type extends keyof Rules
    ? Flat<Tolerant<RuleData<F, Rules[Type]>, Rules[Type]>>
    : never
  : never;

/**
 * The schema of an event's `data` for those who read it, derived from its rule. Fields that are not known yet are let
 * through, and fields that the rule calls `added` may be absent.
 */
export function dataSchema(aggregate: Aggregate, rule: EventRule): z.ZodType<Record<string, unknown>> {
  const shape: Record<string, z.ZodType> = {};
  const schemaOf = (name: string): [string, z.ZodType] => {
    const field = aggregate.fields[name];
    if (!field) throw new Error(`The aggregate "${aggregate.type}" has no field "${name}"`);
    return [field.as, field.schema];
  };
  for (const name of rule.carries) {
    const [as, schema] = schemaOf(name);
    shape[as] = schema;
  }
  if (rule.on === 'update') {
    for (const name of rule.previous ?? []) {
      const [as, schema] = schemaOf(name);
      shape[`previous_${as}`] = schema;
    }
    if (rule.changedFields) shape['changed_fields'] = z.array(z.string());
  }
  if (isLinkRule(rule)) shape[rule.other.as] = rule.other.schema;
  for (const name of rule.added ?? []) {
    const schema = shape[name];
    if (!schema)
      throw new Error(`An event of the aggregate "${aggregate.type}" has no "${name}" that was added`);
    shape[name] = schema.optional();
  }
  return z.looseObject(shape);
}

/** The fields that `changed_fields` of an event may name: those of `changed`, or all that are listed. */
export function watchedFields(
  aggregate: Pick<Aggregate, 'fields'>,
  rule: Extract<EventRule, { on: 'update' }>,
): readonly string[] {
  return 'changed' in rule.when ? rule.when.changed : Object.keys(aggregate.fields);
}

/**
 * A regular expression that fits the data of this event as both engines write them: these fields in this order and no
 * others, without blanks. What it fits, `dataSchema` accepts; undefined where a field has no pattern.
 */
export function dataPattern(aggregate: Aggregate, rule: EventRule): RegExp | undefined {
  const memberOf = (field: Field | undefined, prefix = '') =>
    field?.pattern && /^\w+$/.test(field.as) ? `"${prefix}${field.as}":(?:${field.pattern})` : undefined;
  const member = (prefix: string) => (name: string) => memberOf(aggregate.fields[name], prefix);
  const members = [
    ...rule.carries.map(member('')),
    ...(isLinkRule(rule) ? [memberOf(rule.other)] : []),
    ...((rule.on === 'update' && rule.previous) || []).map(member('previous_')),
    ...(rule.on === 'update' && rule.changedFields ? ['"changed_fields":\\[(?:"\\w*"(?:,"\\w*")*)?\\]'] : []),
  ];
  return members.includes(undefined) ? undefined : new RegExp(`^\\{${members.join(',')}\\}$`);
}
