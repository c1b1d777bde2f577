import type { Catalogue } from '../../../events/catalogue';
import type { PrismaClientLike } from '../captured';
import { readInternals } from '../internals';
import { readTables } from '../schema/tables';
import { findProblems, type TriggerProblem } from '../installed/check';
import { generate } from '../captureSql/generate';
import { isUpToDate } from './migration';
import { readMigrations } from './readMigrations';

/**
 * Returns what looks at the triggers in the client's database, as often as it is called: what is wrong with them,
 * nothing when they fit the catalogue.
 */
export function triggerInspector(
  client: PrismaClientLike,
  { aggregates }: Catalogue,
): () => Promise<TriggerProblem[]> {
  const { schema, defaultSchema } = readInternals(client);
  const generated = generate(aggregates, readTables(schema));
  const run = async (sql: string, ...parameters: unknown[]) => client.$queryRawUnsafe(sql, ...parameters);
  return () => findProblems(run, generated, defaultSchema);
}

/** Whether the migrations of a folder produce the triggers that the catalogue and the client's schema mean. */
export async function migrationsAreCurrent(
  client: PrismaClientLike,
  { aggregates }: Catalogue,
  folder: string,
): Promise<boolean> {
  const { schema } = readInternals(client);
  return isUpToDate(await readMigrations(folder), generate(aggregates, readTables(schema)));
}
