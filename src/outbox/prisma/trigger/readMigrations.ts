import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../shared/lifecycle';
import type { Migration } from './migration';

/** The migrations of a folder. @throws UserError that names what cannot be read. */
export async function readMigrations(folder: string): Promise<Migration[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    throw new UserError(`The folder of migrations can't be read: ${folder}`, { cause: error });
  });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.map(async (name) => ({ name, sql: await read(path.join(folder, name, 'migration.sql')) })),
  );
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`The file can't be read: ${file}`, { cause: error });
  });
}
