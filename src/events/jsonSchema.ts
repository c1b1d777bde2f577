import { z } from 'zod';
import type { Catalogue } from './catalogue';
import { envelopeSchema } from './envelope';

/** What the `$id` of each schema begins with; the event type and its version follow. */
export const schemaIdPrefix = 'urn:signalbox:';

/**
 * The JSON Schema (draft 2020-12) of one event type's messages, for consumers in other languages: what `parseEnvelope`
 * accepts, fields that are not known yet included.
 */
export function jsonSchemaOf(catalogue: Catalogue, eventType: string): Record<string, unknown> {
  const definition = catalogue.find(eventType);
  if (!definition) throw new Error(`The catalogue has no event "${eventType}"`);
  const event = envelopeSchema.extend({ event_type: z.literal(eventType) }).loose();
  const schema = z.toJSONSchema(event, { io: 'input' }) as { properties: Record<string, unknown> };
  const { $schema: _, ...data } = z.toJSONSchema(definition.data, { io: 'input' });
  return {
    $id: `${schemaIdPrefix}${eventType}:${definition.version}`,
    title: eventType,
    ...schema,
    properties: { ...schema.properties, data },
  };
}
