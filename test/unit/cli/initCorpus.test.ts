import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Catalogue } from '../../../src/events/catalogue';
import { planInit, writeFiles } from '../../../src/cli/init/init';
import { generate } from '../../../src/outbox/prisma/captureSql/generate';
import { readTables } from '../../../src/outbox/prisma/schema/tables';

const schemas = path.resolve(__dirname, '../../corpus/schemas');
const files = ['plain', 'multi-schema', 'relation-mode'].flatMap((folder) =>
  readdirSync(path.join(schemas, folder))
    .filter((file) => file.endsWith('.prisma'))
    .map((file) => `${folder}/${file}`),
);

it.each(files)('init writes a catalogue of %s for which there are triggers', async (file) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'signalbox-init-corpus-'));
  try {
    const text = `datasource db {\n provider = "postgresql"\n}\n${readFileSync(path.join(schemas, file), 'utf8')}`;
    writeFileSync(path.join(directory, 'package.json'), '{ "name": "corpus" }');
    mkdirSync(path.join(directory, 'prisma'));
    writeFileSync(path.join(directory, 'prisma/schema.prisma'), text);
    writeFiles(await planInit(directory, {}));
    const { catalogue } = (await import(path.join(directory, 'signals/catalogue.ts'))) as {
      catalogue: Catalogue;
    };
    expect(generate(catalogue.aggregates, readTables(text)).triggers).not.toHaveLength(0);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
