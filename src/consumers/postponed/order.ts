import { createHash } from 'node:crypto';
import type { EventMetadata } from '../../events/envelope';

/** What decides which postponed events of a consumer wait for each other. */
export interface Order {
  readonly aggregateType: string;
  readonly aggregateId: string;
  /** Digits. */
  readonly sequence: string;
}

const mostDigits = 100;
/** An index entry of Postgres may have 2,700 bytes; a character has four at most. */
const mostCharacters = 256;

/**
 * The place of an event in its aggregate's history, in a form that Postgres can hold whatever another producer wrote:
 * text without NUL, a digest for text that is too long for an index, and the largest sequence for one with more digits
 * than any counter has.
 */
export function orderOf(
  metadata: Pick<EventMetadata, 'aggregate_type' | 'aggregate_id' | 'sequence'>,
): Order {
  const { aggregate_type, aggregate_id, sequence } = metadata;
  return {
    aggregateType: indexable(aggregate_type),
    aggregateId: indexable(aggregate_id),
    sequence: sequence.length > mostDigits ? '9'.repeat(mostDigits) : sequence,
  };
}

function indexable(text: string): string {
  if (text.length > mostCharacters) return `sha256:${createHash('sha256').update(text).digest('hex')}`;
  return text.replaceAll('\0', '');
}
