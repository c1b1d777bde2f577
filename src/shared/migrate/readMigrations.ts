import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../lifecycle';

export interface Migration {
  /** The folder's name, which begins with a timestamp. */
  readonly name: string;
  readonly sql: string;
  /** As Prisma Migrate computes it. */
  readonly checksum: string;
}

/**
 * The migrations of a folder that holds one folder for each, in the order of their names.
 * @throws UserError that names what cannot be read.
 */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    throw new UserError(`The folder of migrations can't be read: ${directory}`, { cause: error });
  });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await read(path.join(directory, name, 'migration.sql'));
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

function read(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    throw new UserError(`The file can't be read: ${file}`, { cause: error });
  });
}
