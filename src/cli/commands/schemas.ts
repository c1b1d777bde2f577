import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Command } from 'commander';
import type { Catalogue } from '../../events/catalogue';
import { jsonSchemaOf, schemaIdPrefix } from '../../events/jsonSchema';
import type { Frame } from '../frame';

/** Where the files are written unless --out says so, seen from the project. */
export const schemaDirectory = 'docs/schemas';

/** `signalbox schemas`. */
export function schemasCommand(frame: Frame): Command {
  return new Command('schemas')
    .description(
      'Writes a JSON Schema for each event type of the catalogue, for consumers in other languages, and removes those of events that no longer exist.',
    )
    .option('--out <folder>', 'where to', schemaDirectory)
    .action(({ out }: { out: string }) =>
      frame.run('schemas', async (_, { config: { catalogue } }) => {
        const folder = path.resolve(frame.directory, out);
        const schemas = renderSchemas(catalogue);
        mkdirSync(folder, { recursive: true });
        for (const name of readdirSync(folder))
          if (!schemas.has(name) && isOurs(path.join(folder, name))) rmSync(path.join(folder, name));
        for (const [name, text] of schemas) writeFileSync(path.join(folder, name), text);
        frame.stdout.write(`Wrote ${schemas.size} schemas to ${out}\n`);
        return 0;
      }),
    );
}

/** Whether a file is a schema that this command has written: any other file of the folder is left alone. */
function isOurs(file: string): boolean {
  if (!file.endsWith('.json')) return false;
  try {
    const { $id: id } = JSON.parse(readFileSync(file, 'utf8')) as { readonly $id?: unknown };
    return typeof id === 'string' && id.startsWith(`${schemaIdPrefix}${path.basename(file, '.json')}:`);
  } catch {
    return false;
  }
}

/** Each file's text by its name. */
export function renderSchemas(catalogue: Catalogue): ReadonlyMap<string, string> {
  return new Map(
    catalogue.eventTypes.map((eventType) => [
      `${eventType}.json`,
      `${JSON.stringify(jsonSchemaOf(catalogue, eventType), undefined, 2)}\n`,
    ]),
  );
}
