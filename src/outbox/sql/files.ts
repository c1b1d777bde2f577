import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

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

/** All files, in their order. @throws Error when this copy of the package lacks them. */
export async function readOwnSql(): Promise<OwnSql[]> {
  const folder = ownSqlFolder();
  const names = (await readdir(folder)).filter((name) => /^\d{3}_\w+\.sql$/.test(name)).sort();
  return Promise.all(
    names.map(async (name) => ({
      name: path.basename(name, '.sql'),
      sql: await readFile(path.join(folder, name), 'utf8'),
    })),
  );
}

/** The files are not compiled: they stay at their place in the package, above the compiled program. */
function ownSqlFolder(): string {
  for (let above = __dirname; ; above = path.dirname(above)) {
    const folder = path.join(above, 'src', 'outbox', 'sql');
    if (existsSync(path.join(folder, '001_outbox.sql'))) return folder;
    if (above === path.dirname(above))
      throw new Error('This copy of signalbox lacks its folder src/outbox/sql.');
  }
}
