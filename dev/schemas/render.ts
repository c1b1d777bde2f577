/** The JSON Schemas as files: what is in docs/schemas must be what the catalogue says. */
import { catalogue } from '../../src/healthcore/catalogue';
import { jsonSchemaOf } from '../../src/events/jsonSchema';

/** Where they are, seen from the project. */
export const schemaDirectory = 'docs/schemas';

/** Each file's text by its name. */
export function renderSchemas(): ReadonlyMap<string, string> {
  return new Map(
    catalogue.eventTypes.map((eventType) => [
      `${eventType}.json`,
      `${JSON.stringify(jsonSchemaOf(catalogue, eventType), undefined, 2)}\n`,
    ]),
  );
}
