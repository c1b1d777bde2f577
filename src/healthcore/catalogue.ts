import type * as signalbox from 'signalbox';
import { defineCatalogue } from 'signalbox';
import { appointment } from './events/appointment';
import { emailSend } from './events/email';
import { patient } from './events/patient';

/** Everything that HealthCore has to say. A new model or event is added here and nowhere else. */
export const catalogue = defineCatalogue({
  aggregates: [patient, appointment],
  commands: [emailSend],
});

type HealthCore = typeof catalogue;
export type EventType = signalbox.EventType<HealthCore>;
export type CommandType = signalbox.CommandType<HealthCore>;
export type DomainEventType = signalbox.DomainEventType<HealthCore>;
export type EventData<T extends EventType> = signalbox.EventData<HealthCore, T>;
export type EventOf<T extends EventType> = signalbox.EventOf<HealthCore, T>;
export type EventEnvelope<T extends EventType = EventType> = signalbox.EventEnvelope<T, EventData<T>>;
export type AnyEvent = EventOf<EventType>;
