import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { packageRoot } from '../../shared/packageRoot';

/*
 * The schema "signalbox" as numbered files. A file may be run again, changes nothing then, and is never edited after its
 * release: what a later version needs comes in a further one. `npx signalbox sync` copies those that a project lacks into
 * a migration of its own. See docs/decisions/0021.
 */

/** One file. */
export interface OwnSql {
  /** Without its ending: `001_outbox`. */
  readonly name: string;
  readonly sql: string;
}

/** All files, in their order. */
export async function readOwnSql(): Promise<OwnSql[]> {
  // They are not compiled: they stay at their place in the package.
  const folder = path.join(packageRoot(), 'src', 'outbox', 'sql');
  const names = (await readdir(folder)).filter((name) => /^\d{3}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      name: path.basename(name, '.sql'),
      sql: await readFile(path.join(folder, name), 'utf8'),
    })),
  );
}
