import * as generic from '../events/catalogue';
import type { EventDefinition } from '../events/catalogue';
import * as envelope from '../events/envelope';
import * as erasure from '../events/eraseData';
import * as schemas from '../events/jsonSchema';
import { appointment } from './events/appointment';
import { emailSend } from './events/email';
import { patient } from './events/patient';

/** Everything that HealthCore has to say. A new model or event is added here and nowhere else. */
export const catalogue = generic.defineCatalogue({
  aggregates: [patient, appointment],
  commands: [emailSend],
});

type HealthCore = typeof catalogue;
export type EventType = generic.EventType<HealthCore>;
export type CommandType = generic.CommandType<HealthCore>;
export type DomainEventType = generic.DomainEventType<HealthCore>;
export type EventData<T extends EventType> = generic.EventData<HealthCore, T>;
export type EventOf<T extends EventType> = envelope.EventOf<HealthCore, T>;
export type EventEnvelope<T extends EventType = EventType> = envelope.EventEnvelope<T, EventData<T>>;
export type AnyEvent = EventOf<EventType>;

/*
 * What follows is on its way out: modules of the package that still know this catalogue, instead of being handed one.
 */
export type { EventDefinition };
export type ParsedEnvelope = { ok: true; event: AnyEvent } | { ok: false; reason: string };
export const { aggregates, commands } = catalogue;
export const eventTypes = catalogue.eventTypes as readonly EventType[];
export const isEventType = (value: string): value is EventType => catalogue.find(value) !== undefined;
export const findDefinition = (eventType: string): EventDefinition | undefined => catalogue.find(eventType);
export const parseEnvelope = (value: string): ParsedEnvelope =>
  envelope.parseEnvelope(catalogue, value) as ParsedEnvelope;
export const jsonSchemaOf = (eventType: string) => schemas.jsonSchemaOf(catalogue, eventType);
export const eraseData = (eventType: string, data: Record<string, unknown>) =>
  erasure.eraseData(catalogue, eventType, data);
