/** `npm run schemas`: writes the JSON Schemas of all events, for consumers in other languages. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { findProjectRoot } from '../kafka/projectRoot';
import { renderSchemas, schemaDirectory } from './render';

new Command('npm run schemas')
  .description(
    `Writes a JSON Schema for each event type of the catalogue to ${schemaDirectory}, and removes those of events that are no more.`,
  )
  .action(() => {
    const directory = join(findProjectRoot(__dirname), schemaDirectory);
    const schemas = renderSchemas();
    mkdirSync(directory, { recursive: true });
    for (const name of readdirSync(directory)) if (!schemas.has(name)) rmSync(join(directory, name));
    for (const [name, text] of schemas) writeFileSync(join(directory, name), text);
    process.stdout.write(`Wrote ${schemas.size} schemas to ${schemaDirectory}\n`);
  })
  .parse();
