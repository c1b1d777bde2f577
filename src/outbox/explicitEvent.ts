import type { Catalogue } from '../events/catalogue';
import { carriable } from '../events/fields';
import { CaptureError } from './captureError';
import type { MappedEvent } from './mapping';
import { isStorableJson } from './storableJson';

/**
 * An event that no row change means, as `$append` of both engines stores it.
 * @throws CaptureError when it does not fit the catalogue; the message names paths, never values.
 */
export function explicitEvent(
  catalogue: Catalogue,
  eventType: string,
  aggregateId: string,
  data: unknown,
): MappedEvent {
  const definition = catalogue.find(eventType);
  if (!definition) throw new CaptureError(`The catalogue has no event "${eventType}"`);
  if (aggregateId === '') throw new CaptureError(`$append('${eventType}') needs the id of an aggregate`);
  const parsed = definition.data.safeParse(data);
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'data'}: ${issue.code}`);
    throw new CaptureError(`The data of "${eventType}" does not fit the catalogue: ${problems.join('; ')}`);
  }
  if (!isStorableJson(aggregateId) || !isStorableJson(parsed.data))
    throw new CaptureError(
      `The data of "${eventType}" holds what no event can carry: events carry ${carriable.json}`,
    );
  const { version, aggregateType } = definition;
  return { eventType, version, aggregateType, aggregateId, data: parsed.data as Record<string, unknown> };
}
