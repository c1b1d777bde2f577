import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { defineAggregate } from '../../../src/events/aggregate';
import { uuid } from '../../../src/events/fields';
import { readSchemaFiles } from '../../../src/outbox/prisma/schema/files';
import { readRelations } from '../../../src/outbox/prisma/schema/relations';
import { readTables } from '../../../src/outbox/prisma/schema/tables';
import { writeMigration } from '../../../src/outbox/prisma/trigger/writeMigration';

const root = path.resolve(__dirname, '../../..');
const files = {
  'main.prisma': `generator client {
  provider     = "prisma-client"
  output       = "../client"
  moduleFormat = "cjs"
}

datasource db {
  provider = "postgresql"
}
`,
  'shop/owner.prisma':
    'model Owner {\n  id String @id\n  data Json @default("{}") /* } */\n  things Thing[]\n}',
  'shop/thing.prisma':
    'model Thing {\n  id String @id\n  ownerId String @map("owner_id")\n  owner Owner @relation(fields: [ownerId], references: [id], onDelete: Cascade)\n}',
  'notes.txt': 'model No {',
};

const owner = defineAggregate({
  type: 'owner',
  model: 'Owner',
  key: 'id',
  version: '1.0',
  fields: { id: uuid('owner_id', 'identifier') },
  events: { 'owner.created': { on: 'create', carries: ['id'] } },
});

describe('a schema in several files', () => {
  let directory: string;
  let folder: string;

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'signalbox-schema-'));
    folder = path.join(directory, 'schema');
    await mkdir(path.join(folder, 'shop'), { recursive: true });
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(folder, name), content);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  it('is read like one', async () => {
    const read = await readSchemaFiles(folder);
    expect([...readTables(read).keys()]).toEqual(['Owner', 'Thing']);
    expect(readRelations(read)).toMatchObject([{ model: 'Thing', inverse: 'things', onDelete: 'Cascade' }]);
  });

  it('is read the same from the text that the generated client carries', async () => {
    await symlink(path.join(root, 'node_modules'), path.join(directory, 'node_modules'));
    const prisma = path.join(root, 'node_modules/prisma/build/index.js');
    const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath };
    await promisify(execFile)(process.execPath, [prisma, 'generate', '--schema', folder], {
      cwd: directory,
      env,
    });
    const generated = await readFile(path.join(directory, 'client/internal/class.ts'), 'utf8');
    const carried = JSON.parse(/"inlineSchema": (".*"),$/m.exec(generated)?.[1] ?? '""') as string;
    const read = await readSchemaFiles(folder);
    expect(readTables(carried)).toEqual(readTables(read));
    expect(readRelations(carried)).toEqual(readRelations(read));
  });

  it('is what the migration of the triggers is written from', async () => {
    const migrations = path.join(directory, 'migrations');
    await mkdir(migrations);
    const { message } = await writeMigration([owner], { schema: folder, migrations, check: false });
    expect(message).toMatch(/^Wrote /);
    const inOneFile = path.join(directory, 'one.prisma');
    await writeFile(inOneFile, await readSchemaFiles(folder));
    const again = await writeMigration([owner], { schema: inOneFile, migrations, check: true });
    expect(again.exitCode).toBe(0);
  });

  it('that is missing, empty or wrong is refused, with the file and the line', async () => {
    await expect(readSchemaFiles(path.join(directory, 'none'))).rejects.toThrow(/can't be read: .*none/);
    const empty = path.join(directory, 'empty');
    await mkdir(empty);
    await expect(readSchemaFiles(empty)).rejects.toThrow('no .prisma file');
    await writeFile(path.join(empty, 'wrong.prisma'), '\nmodel {');
    await expect(readSchemaFiles(empty)).rejects.toThrow(
      /wrong\.prisma: .* at line 2: .*the name of the model/,
    );
  });
});
