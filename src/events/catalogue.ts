import type { z } from 'zod';
import { type Aggregate, type DataOf, dataPattern, dataSchema } from './aggregate';
import { appointment } from './appointment';
import type { Command } from './command';
import { emailSend } from './email';
import { patient } from './patient';

/**
 * Everything that can be said. A new model or event is added here and nowhere else: types, schemas, topics and
 * both capture engines are derived from it.
 */
export const aggregates = [patient, appointment] as const;
export const commands = [emailSend] as const;

type Aggregates = (typeof aggregates)[number];
type Commands = (typeof commands)[number];

export type DomainEventType = {
  [A in Aggregates as A['type']]: keyof A['events'] & string;
}[Aggregates['type']];
export type CommandType = Commands['eventType'];
export type EventType = DomainEventType | CommandType;

type CommandData<T> = Extract<Commands, { eventType: T }> extends { data: z.ZodType<infer D> } ? D : never;

/** The type of `data` of an event type. */
export type EventData<T extends EventType> = T extends CommandType
  ? CommandData<T>
  : { [A in Aggregates as A['type']]: DataOf<A, T> }[Aggregates['type']];

/** What the catalogue knows of one event type. */
export interface EventDefinition {
  readonly eventType: EventType;
  readonly aggregateType: string;
  readonly version: string;
  readonly data: z.ZodType;
  /** Fits the data as the engines write them (see `dataPattern`); none for commands. */
  readonly pattern?: RegExp;
  /** Of commands: when it is too late to carry one out, ISO 8601. Its argument fits `data`. */
  expiresAt?(data: unknown): string | undefined;
}

function definitions(): Map<string, EventDefinition> {
  const found = new Map<string, EventDefinition>();
  const add = (definition: EventDefinition): void => {
    if (found.has(definition.eventType))
      throw new Error(`The event type "${definition.eventType}" is declared twice`);
    found.set(definition.eventType, definition);
  };
  for (const aggregate of aggregates satisfies readonly Aggregate[]) {
    for (const [eventType, rule] of Object.entries(aggregate.events)) {
      const pattern = dataPattern(aggregate, rule);
      add({
        eventType: eventType as EventType,
        aggregateType: aggregate.type,
        version: aggregate.version,
        data: dataSchema(aggregate, rule),
        ...(pattern ? { pattern } : {}),
      });
    }
  }
  for (const command of commands satisfies readonly Command<EventType>[]) add(command);
  return found;
}

const byType = definitions();

/** All event types, in the catalogue's order. */
export const eventTypes: readonly EventType[] = [...byType.values()].map(
  (definition) => definition.eventType,
);

/** Whether a string names an event of the catalogue. */
export function isEventType(value: string): value is EventType {
  return byType.has(value);
}

/** The definition of an event type, or undefined when the catalogue has none of that name. */
export function findDefinition(eventType: string): EventDefinition | undefined {
  return byType.get(eventType);
}
