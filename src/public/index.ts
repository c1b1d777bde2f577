/* `signalbox`: what an application says, and the context in which it says it. */

export { defineConfig, type SignalboxConfig } from '../cli/config/defineConfig';
export {
  type Aggregate,
  type CarriedField,
  defineAggregate,
  type EventRule,
  type Fields,
} from '../events/aggregate';
export {
  type Catalogue,
  type CommandType,
  defineCatalogue,
  type DomainEventType,
  type EventData,
  type EventDefinition,
  type EventType,
} from '../events/catalogue';
export { type Command, defineCommand } from '../events/command';
export {
  type EventEnvelope,
  type EventMetadata,
  type EventOf,
  parseEnvelope,
  type ParsedEnvelope,
} from '../events/envelope';
export { erased } from '../events/erased';
export {
  bigint,
  boolean,
  bytes,
  date,
  datetime,
  decimal,
  type Field,
  type FieldKind,
  float,
  int,
  json,
  list,
  nullable,
  oneOf,
  restricted,
  type Sensitivity,
  text,
  uuid,
} from '../events/fields';
export { jsonSchemaOf } from '../events/jsonSchema';
export { notNull } from '../events/notNull';
export { eraseEvents, type StoredEvent } from '../ops/erase/eraseEvents';
export type {
  EraseEvent,
  ErasureConnection,
  ErasurePlace,
  ErasureSubject,
  Subject,
} from '../ops/erase/subject';
export { contextValue, currentContext, type EventContext, withContext } from '../outbox/context';
export { contextFromHeaders, type RequestHeaders } from '../outbox/contextFromHeaders';
