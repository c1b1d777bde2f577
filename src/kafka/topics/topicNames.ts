/** The topic of an event type, e.g. `healthcore.patient.created`. */
export function topicOf(prefix: string, eventType: string): string {
  return `${prefix}.${eventType}`;
}

/** Where messages end that a consumer could not process. */
export function deadLetterTopic(prefix: string): string {
  return `${prefix}.dead_letter_queue`;
}
