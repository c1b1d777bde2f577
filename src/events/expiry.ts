import type { Catalogue } from './catalogue';
import type { EventEnvelope } from './envelope';

/** Whether an event is a command that is not to be carried out any more: its time is over. Other events never expire. */
export function isExpired(catalogue: Catalogue, event: EventEnvelope, now: Date): boolean {
  const expiresAt = catalogue.find(event.event_type)?.expiresAt?.(event.data);
  return expiresAt !== undefined && new Date(expiresAt) <= now;
}
