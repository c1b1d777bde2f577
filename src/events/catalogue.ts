import type { z } from 'zod';
import { type Aggregate, type DataOf, dataPattern, dataSchema } from './aggregate';
import type { Command } from './command';

/*
 * What an application has to say, as one value: types, schemas, topics and both capture engines are derived from it. It
 * is handed to whatever needs it; no module of the package knows anybody's catalogue.
 */

/** The aggregates and commands of an application, and what follows from them. Made by `defineCatalogue`. */
export interface Catalogue<
  Aggregates extends readonly Aggregate[] = readonly Aggregate[],
  Commands extends readonly Command[] = readonly Command[],
> {
  readonly aggregates: Aggregates;
  readonly commands: Commands;
  /** All event types, in the order in which they were declared. */
  readonly eventTypes: readonly string[];
  /** The definition of an event type; undefined when the catalogue has none of that name. */
  find(eventType: string): EventDefinition | undefined;
}

/** What a catalogue knows of one event type. */
export interface EventDefinition {
  readonly eventType: string;
  readonly aggregateType: string;
  readonly version: string;
  readonly data: z.ZodType;
  /** Fits the data as the engines write them (see `dataPattern`); none for commands. */
  readonly pattern?: RegExp;
  /** Of commands: when it is too late to carry one out, ISO 8601. Its argument fits `data`. */
  expiresAt?(data: unknown): string | undefined;
}

/**
 * Declares what an application has to say.
 * @throws Error when a model, an aggregate, an event type or a field's name in events is declared twice.
 */
export function defineCatalogue<
  const Aggregates extends readonly Aggregate[],
  const Commands extends readonly Command[] = readonly [],
>({
  aggregates,
  commands,
}: {
  readonly aggregates: Aggregates;
  readonly commands?: Commands;
}): Catalogue<Aggregates, Commands> {
  refuseRepeated('The model', aggregates, ({ model }) => model);
  refuseRepeated('The aggregate', aggregates, ({ type }) => type);
  for (const { type, fields } of aggregates)
    refuseRepeated(`In the aggregate "${type}", the field`, Object.values(fields), ({ as }) => as);
  const all = [...aggregates.flatMap(definitionsOf), ...(commands ?? [])];
  refuseRepeated('The event type', all, ({ eventType }) => eventType);
  const byType = new Map<string, EventDefinition>(
    all.map((definition) => [definition.eventType, definition]),
  );
  return {
    aggregates,
    commands: commands ?? ([] as readonly Command[] as Commands),
    eventTypes: [...byType.keys()],
    find: (eventType) => byType.get(eventType),
  };
}

function definitionsOf(aggregate: Aggregate): EventDefinition[] {
  const { type: aggregateType, version } = aggregate;
  return Object.entries(aggregate.events).map(([eventType, rule]) => {
    const pattern = dataPattern(aggregate, rule);
    const data = dataSchema(aggregate, rule);
    return { eventType, aggregateType, version, data, ...(pattern ? { pattern } : {}) };
  });
}

function refuseRepeated<T>(what: string, all: readonly T[], nameOf: (each: T) => string): void {
  const names = all.map(nameOf);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new Error(`${what} "${repeated}" is declared twice in the catalogue`);
}

/** The event types that changes of rows mean. */
export type DomainEventType<C extends Catalogue> = DomainTypeOf<C['aggregates'][number]>;
type DomainTypeOf<A> = A extends { events: infer Rules } ? keyof Rules & string : never;

/** The event types that are appended explicitly. */
export type CommandType<C extends Catalogue> = C['commands'][number]['eventType'];

export type EventType<C extends Catalogue> = DomainEventType<C> | CommandType<C>;

/** The type of `data` of an event type: `Record<string, unknown>` where the catalogue or the type is not known. */
export type EventData<C extends Catalogue, T extends EventType<C>> = string extends T
  ? Record<string, unknown>
  : T extends CommandType<C>
    ? CommandData<C['commands'][number], T>
    : DomainData<C['aggregates'][number], T>;

type CommandData<Each, T> = Extract<Each, { eventType: T }> extends { data: z.ZodType<infer D> } ? D : never;
type DomainData<Each, T> = Each extends Aggregate ? DataOf<Each, T> : never;
