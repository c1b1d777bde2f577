import { findDefinition } from './catalogue';
import type { AnyEvent } from './envelope';

/** Whether an event is a command that is not to be carried out any more: its time is over. Other events never expire. */
export function isExpired(event: AnyEvent, now: Date): boolean {
  const expiresAt = findDefinition(event.event_type)?.expiresAt?.(event.data);
  return expiresAt !== undefined && new Date(expiresAt) <= now;
}
