import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../../shared/lifecycle';
import { parseSchema } from './parse';

/**
 * The text of a Prisma schema: of one file, or of all `.prisma` files of a folder and its folders, as Prisma itself
 * takes them.
 * @throws UserError that names the file when one cannot be read, or when there is none.
 */
export async function readSchemaFiles(place: string): Promise<string> {
  const files = (await isFolder(place)) ? await filesIn(place) : [place];
  if (files.length === 0) throw new UserError(`The folder has no .prisma file: ${place}`);
  const texts = await Promise.all(files.map(readOne));
  return texts.join('\n');
}

async function isFolder(place: string): Promise<boolean> {
  const found = await stat(place).catch((error: unknown) => {
    throw unreadable(place, error);
  });
  return found.isDirectory();
}

async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((error: unknown) => {
    throw unreadable(folder, error);
  });
  return names
    .filter((name) => name.endsWith('.prisma'))
    .sort()
    .map((name) => path.join(folder, name));
}

/** Read alone first, so that an error names the file, with a line of that file. */
async function readOne(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    parseSchema(text);
  } catch (error) {
    throw new UserError(`${file}: ${(error as Error).message}`, { cause: error });
  }
  return text;
}

const unreadable = (place: string, cause: unknown): UserError =>
  new UserError(`The Prisma schema can't be read: ${place}`, { cause });
