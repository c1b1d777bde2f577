import type { EventType } from '../healthcore/catalogue';

/** The topic of an event type, e.g. `healthcore.patient.created`. */
export function topicOf(prefix: string, eventType: EventType | (string & {})): string {
  return `${prefix}.${eventType}`;
}

/** Where messages end that a consumer could not process. */
export function deadLetterTopic(prefix: string): string {
  return `${prefix}.dead_letter_queue`;
}
