import type * as vocabulary from '../events/catalogue';
import { defineCatalogue } from '../events/catalogue';
import type * as envelope from '../events/envelope';
import { appointment } from './events/appointment';
import { emailSend } from './events/email';
import { patient } from './events/patient';

/** Everything that HealthCore has to say. A new model or event is added here and nowhere else. */
export const catalogue = defineCatalogue({
  aggregates: [patient, appointment],
  commands: [emailSend],
});

type HealthCore = typeof catalogue;
export type EventType = vocabulary.EventType<HealthCore>;
export type CommandType = vocabulary.CommandType<HealthCore>;
export type DomainEventType = vocabulary.DomainEventType<HealthCore>;
export type EventData<T extends EventType> = vocabulary.EventData<HealthCore, T>;
export type EventOf<T extends EventType> = envelope.EventOf<HealthCore, T>;
export type EventEnvelope<T extends EventType = EventType> = envelope.EventEnvelope<T, EventData<T>>;
export type AnyEvent = EventOf<EventType>;
