import { UserError } from '../../shared/lifecycle';

/** Events as people name them: by their id, or by `metadata.sequence`, which is their position in the outbox. */
export interface EventRefs {
  readonly eventIds: readonly string[];
  readonly positions: readonly string[];
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const sequence = /^[1-9]\d{0,17}$/;

/** @throws UserError for what is neither. */
export function parseEventRefs(texts: readonly string[]): EventRefs {
  for (const text of texts) {
    if (uuid.test(text) || sequence.test(text)) continue;
    throw new UserError(
      `"${text}" is not an event. Give an event_id (a UUID) or a metadata.sequence (digits).`,
    );
  }
  return {
    eventIds: texts.filter((text) => uuid.test(text)),
    positions: texts.filter((text) => sequence.test(text)),
  };
}

/** @throws UserError unless it is a sequence. */
export function parseSequence(option: string, text: string): string {
  if (sequence.test(text) || text === '0') return text;
  throw new UserError(
    `${option} "${text}" is not a metadata.sequence. Give digits, as "outbox tail" shows them.`,
  );
}
