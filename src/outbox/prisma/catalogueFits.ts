import type { notNull } from '../../events/notNull';
import type { Decimal, JsonValue, Types } from '@prisma/client/runtime/client';
import type { Aggregate, EventRule } from '../../events/aggregate';
import type { Catalogue } from '../../events/catalogue';
import type { Field, FieldKind, ListField } from '../../events/fields';

/*
 * Where a catalogue meets the Prisma models of a client. The compiler evaluates `ProblemOf` for each aggregate to a
 * sentence that says what is wrong, and refuses the call that hands the catalogue to an engine unless there is none.
 */

/** The row of a model, as the client's delegate for it declares it; `never` where the client has no such model. */
type RowOf<Client, Model extends string> =
  Uncapitalize<Model> extends keyof Client
    ? Types.Public.Payload<Client[Uncapitalize<Model>], 'findMany'>['scalars']
    : never;

/** What Prisma's client gives for a field of each kind. */
interface ValueOfKind extends Record<FieldKind, unknown> {
  uuid: string;
  text: string;
  datetime: Date;
  date: Date;
  int: number;
  bigint: bigint;
  decimal: Decimal;
  float: number;
  boolean: boolean;
  bytes: Uint8Array;
  json: JsonValue;
  enum: string;
}

type Fits<A, B> = [A] extends [B] ? true : false;

type KindProblem<Where extends string, F, Value> =
  F extends Field<string, infer Kind, infer Wire>
    ? Fits<NonNullable<Value>, ValueOfKind[Kind]> extends false
      ? `${Where} is declared as ${Kind}, which is not its type in the Prisma model`
      : null extends Value
        ? null extends Wire
          ? EnumProblem<Where, Kind, Value, Wire>
          : `${Where} may be null in the Prisma model: wrap it in nullable()`
        : null extends Wire
          ? Kind extends 'json' | 'float'
            ? never
            : `${Where} is never null in the Prisma model: take it out of nullable()`
          : EnumProblem<Where, Kind, Value, Wire>
    : never;

type EnumProblem<Where extends string, Kind, Value, Wire> = Kind extends 'enum'
  ? Fits<NonNullable<Value>, NonNullable<Wire>> extends false
    ? `${Where} lists fewer words than its enum in the Prisma model`
    : Fits<NonNullable<Wire>, NonNullable<Value>> extends false
      ? `${Where} lists words that its enum in the Prisma model does not have`
      : never
  : never;

/** A list of the model's is never null, and Bytes are no list. */
type ListProblem<Where extends string, F, Value> = [Value] extends [readonly (infer Element)[]]
  ? F extends ListField<infer As, infer Kind, infer Wire, infer Class>
    ? KindProblem<Where, Field<As, Kind, Wire, Class>, Element>
    : `${Where} is a list in the Prisma model: wrap it in list()`
  : F extends ListField
    ? `${Where} is not a list in the Prisma model: take it out of list()`
    : KindProblem<Where, F, Value>;

type FieldProblems<Model extends string, Fields, Row> = {
  [K in keyof Fields & string]: K extends keyof Row
    ? Fields[K] extends { class: 'restricted' }
      ? never
      : ListProblem<`${Model}.${K}`, Fields[K], Row[K]>
    : `${Model}.${K} is in the catalogue and not in the Prisma model`;
}[keyof Fields & string];

type BecomesProblems<Rules, Row> = {
  [T in keyof Rules & string]: Rules[T] extends {
    when: { becomes: { field: infer F extends string; value: infer V } };
  }
    ? F extends keyof Row
      ? Fits<V extends typeof notNull ? null : V, Row[F]> extends false
        ? `${T} waits for a value that ${F} never has in the Prisma model`
        : never
      : never
    : never;
}[keyof Rules & string];

/**
 * The sentences that say where an aggregate and its model in the client do not fit; `never` when they do, and where
 * the aggregate's type says only that it is one.
 */
export type ProblemOf<Client, A> = A extends {
  model: infer Model extends string;
  fields: infer F;
  events: infer Rules;
}
  ? string extends Model
    ? never
    : [RowOf<Client, Model>] extends [never]
      ? `The catalogue names the model ${Model}, which the Prisma schema does not have`
      : FieldProblems<Model, F, RowOf<Client, Model>> | BecomesProblems<Rules, RowOf<Client, Model>>
  : never;

/**
 * The catalogue where it has no problem, else the problems. The detour through a mapped type takes the union's name
 * away: of a union with a name the compiler's error shows the name alone, and not one of its sentences.
 */
export type FittingCatalogue<Client, Cat extends Catalogue> = [
  ProblemOf<Client, Cat['aggregates'][number]>,
] extends [never]
  ? Cat
  : { [Each in ProblemOf<Client, Cat['aggregates'][number]>]: Each }[ProblemOf<
      Client,
      Cat['aggregates'][number]
    >];

/** The models whose changes mean events, each with its aggregate, in the catalogue's order. */
export function capturedModels({ aggregates }: Catalogue): ReadonlyMap<string, Aggregate> {
  return new Map(aggregates.map((aggregate) => [aggregate.model, aggregate]));
}

/** The fields whose change an aggregate's rules react to. */
export function watchedFields(aggregate: Aggregate): ReadonlySet<string> {
  return new Set(Object.values(aggregate.events).flatMap(watchedBy));
}

function watchedBy(rule: EventRule): readonly string[] {
  if (rule.on !== 'update') return [];
  return 'becomes' in rule.when ? [rule.when.becomes.field] : rule.when.changed;
}
