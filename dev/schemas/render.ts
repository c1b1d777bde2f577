/** The JSON Schemas as files: what is in docs/schemas must be what the catalogue says. */
import { eventTypes, jsonSchemaOf } from '../../src/healthcore/catalogue';

/** Where they are, seen from the project. */
export const schemaDirectory = 'docs/schemas';

/** Each file's text by its name. */
export function renderSchemas(): ReadonlyMap<string, string> {
  return new Map(
    eventTypes.map((eventType) => [
      `${eventType}.json`,
      `${JSON.stringify(jsonSchemaOf(eventType), undefined, 2)}\n`,
    ]),
  );
}
