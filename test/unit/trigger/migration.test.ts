import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Aggregate } from '../../../src/events/aggregate';
import { uuid } from '../../../src/events/fields';
import { writeMigration } from '../../../src/outbox/prisma/trigger/writeMigration';

const aggregate = (type: string, model: string): Aggregate => ({
  type,
  model,
  key: 'id',
  version: '1.0',
  fields: { id: uuid('id', 'identifier') },
  events: { [`${type}.created`]: { on: 'create', carries: ['id'] } },
});
const [cat, dog] = [aggregate('cat', 'Cat'), aggregate('dog', 'Dog')];

let folder: string;
let options: { schema: string; migrations: string; check: boolean };

const names = async (): Promise<string[]> => (await readdir(options.migrations)).sort();
const lastSql = async (): Promise<string> => {
  const last = (await names()).at(-1) ?? '';
  return readFile(path.join(options.migrations, last, 'migration.sql'), 'utf8');
};

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'signalbox-migration-'));
  options = { schema: path.join(folder, 'schema.prisma'), migrations: path.join(folder, 'm'), check: false };
  await mkdir(options.migrations);
  await writeSchema('cats');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const writeSchema = (table: string): Promise<void> =>
  writeFile(
    options.schema,
    `model Cat {\n id String @id\n @@map("${table}")\n}\nmodel Dog {\n id String @id\n}\n`,
  );

describe('npx signalbox sync', () => {
  it('writes a migration once, and then has nothing to do', async () => {
    expect(await writeMigration([cat], options)).toMatchObject({ exitCode: 0, message: /^Wrote / });
    expect(await names()).toHaveLength(1);
    expect((await names())[0]).toMatch(/^\d{14}_signalbox$/);
    expect((await writeMigration([cat], options)).message).toMatch(/^Nothing to do/);
    expect(await names()).toHaveLength(1);
  });

  it('writes only what has changed: the own SQL once, and of the functions those of the changed aggregate', async () => {
    await writeMigration([cat, dog], options);
    const functions = async (): Promise<string[]> =>
      [...(await lastSql()).matchAll(/^CREATE OR REPLACE FUNCTION signalbox\."(\w+)"/gm)].map(
        ([, name = '']) => name,
      );
    expect(await functions()).toEqual(expect.arrayContaining(['capture_cat_insert', 'capture_dog_insert']));
    expect(await lastSql()).toContain('CREATE TABLE IF NOT EXISTS "signalbox"."outbox"');
    await writeMigration([cat, { ...dog, version: '2.0' }], options);
    expect((await functions()).filter((name) => !name.startsWith('capture_dog_'))).toEqual([]);
    expect(await lastSql()).not.toMatch(/CREATE TABLE|statement_context\(statement/);
    expect((await writeMigration([cat, { ...dog, version: '2.0' }], options)).message).toMatch(
      /^Nothing to do/,
    );
    // Back again is a change, too.
    await writeMigration([cat, dog], options);
    expect(await functions()).toContain('capture_dog_insert');
  });

  it('writes all of it again after a migration that counts was edited', async () => {
    await writeMigration([cat, dog], options);
    const file = path.join(options.migrations, (await names())[0] ?? '', 'migration.sql');
    await writeFile(file, (await readFile(file, 'utf8')).replace('cat.created', 'cat.invented'));
    await writeMigration([cat, dog], options);
    expect(await lastSql()).toMatch(/CREATE TABLE[^]*capture_cat_insert[^]*capture_dog_insert/);
    expect((await writeMigration([cat, dog], { ...options, check: true })).exitCode).toBe(0);
  });

  it('writes what two branches need after they were merged, whatever the order of their migrations', async () => {
    await writeMigration([cat], options);
    const base = await names();
    const changed = { ...cat, version: '2.0' };
    await writeMigration([changed], options);
    const [ours = ''] = (await names()).filter((name) => !base.includes(name));
    const aside = path.join(folder, 'aside');
    await rename(path.join(options.migrations, ours), aside);
    await writeMigration([cat, dog], options);
    // The other branch's migration comes first, and its change of the cat is in force after both.
    await rename(aside, path.join(options.migrations, '00000000000001_signalbox'));
    await rename(
      path.join(options.migrations, base[0] ?? ''),
      path.join(options.migrations, '00000000000000_signalbox'),
    );
    const check = { ...options, check: true };
    expect((await writeMigration([changed, dog], check)).exitCode).toBe(0);
    expect((await writeMigration([cat, dog], check)).exitCode).toBe(1);
  });

  it('does not take other line ends for an edit', async () => {
    await writeMigration([cat], options);
    const file = path.join(options.migrations, (await names())[0] ?? '', 'migration.sql');
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('\n', '\r\n'));
    expect((await writeMigration([cat], { ...options, check: true })).exitCode).toBe(0);
  });

  it('makes the folder of migrations where a project has none', async () => {
    await rm(options.migrations, { recursive: true });
    expect(await writeMigration([cat], { ...options, check: true })).toMatchObject({ exitCode: 1 });
    expect(await writeMigration([cat], options)).toMatchObject({ exitCode: 0 });
    expect(await names()).toHaveLength(1);
  });

  it('drops the triggers of a model that has left the catalogue, and does so once', async () => {
    await writeMigration([cat, dog], options);
    await writeMigration([dog], options);
    expect(await lastSql()).toContain('DROP FUNCTION IF EXISTS signalbox."capture_cat_insert"() CASCADE;');
    expect(await lastSql()).not.toContain('DROP FUNCTION IF EXISTS signalbox."capture_dog_insert"');
    await writeMigration([{ ...dog, version: '2.0' }], options);
    expect(await lastSql()).not.toMatch(/DROP FUNCTION IF EXISTS signalbox\."/);
    expect(await names()).toHaveLength(3);
  });

  it('drops the triggers on the old table when a model moves to another', async () => {
    await writeMigration([cat], options);
    await writeSchema('tomcats');
    await writeMigration([cat], options);
    expect(await lastSql()).toContain('DROP FUNCTION IF EXISTS signalbox."capture_cat_insert"() CASCADE;');
    expect(await lastSql()).toContain('ON "tomcats"');
  });

  it('writes behind the last migration, even one from the future', async () => {
    await mkdir(path.join(options.migrations, '29991231235959_later'));
    await writeFile(path.join(options.migrations, '29991231235959_later', 'migration.sql'), '');
    await writeMigration([cat], options);
    expect((await names()).at(-1)).toBe('29991231235960_signalbox');
  });

  it('with --check writes nothing, and fails while a migration is missing or was edited', async () => {
    const check = { ...options, check: true };
    expect(await writeMigration([cat], check)).toMatchObject({ exitCode: 1, message: /npx signalbox sync/ });
    expect(await names()).toEqual([]);
    await writeMigration([cat], options);
    expect((await writeMigration([cat], check)).exitCode).toBe(0);
    const file = path.join(options.migrations, (await names())[0] ?? '', 'migration.sql');
    await writeFile(file, (await readFile(file, 'utf8')).replace('cat.created', 'cat.invented'));
    expect((await writeMigration([cat], check)).exitCode).toBe(1);
  });

  it('with --repair writes one that installs the triggers again, though nothing has changed, and not with --check', async () => {
    await writeMigration([cat], options);
    const repairing = { ...options, repair: true };
    expect(await writeMigration([cat], repairing)).toMatchObject({ exitCode: 0, message: /^Wrote / });
    expect(await names()).toHaveLength(2);
    expect(await lastSql()).toMatch(/DROP TRIGGER[^]*CREATE OR REPLACE TRIGGER/);
    expect((await writeMigration([cat], { ...options, check: true })).exitCode).toBe(0);
    await expect(writeMigration([cat], { ...repairing, check: true })).rejects.toThrow('choose one of them');
  });

  it('says in one line what a person can mend', async () => {
    await expect(writeMigration([aggregate('cow', 'Cow')], options)).rejects.toThrow('no model "Cow"');
    const lost = { ...options, schema: path.join(folder, 'none.prisma') };
    await expect(writeMigration([cat], lost)).rejects.toThrow(/can't be read: .*none\.prisma/);
    await writeMigration([cat], options);
    const file = path.join(options.migrations, (await names())[0] ?? '', 'migration.sql');
    await writeFile(file, (await readFile(file, 'utf8')).replace('signalbox:steps {', 'signalbox:steps '));
    await expect(writeMigration([cat], options)).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('was edited: its line "-- signalbox:steps"') as string,
    });
  });
});
