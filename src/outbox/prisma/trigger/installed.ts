import type { Pool } from 'pg';
import type { Catalogue } from '../../../events/catalogue';
import { parseDatabaseUrl } from '../../../shared/connections/databaseUrl';
import type { PrismaClientLike } from '../captured';
import { readInternals } from '../internals';
import { readTables } from '../schema/tables';
import { findProblems, type TriggerProblem } from '../installed/check';
import { generate } from '../captureSql/generate';
import { readOwnSql } from '../../sql/files';
import { isUpToDate } from './migration';
import { readMigrations } from '../../../shared/migrate/readMigrations';

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

/** What is wrong with the triggers of a database, found without a client; `schema` is the text of the Prisma schema. */
export function triggerProblems(
  pool: Pick<Pool, 'query'>,
  { aggregates }: Catalogue,
  { schema, databaseUrl }: { readonly schema: string; readonly databaseUrl: string },
): Promise<TriggerProblem[]> {
  const run = async (sql: string, ...parameters: unknown[]) => (await pool.query(sql, parameters)).rows;
  const { schema: defaultSchema } = parseDatabaseUrl(databaseUrl).parameters;
  return findProblems(run, generate(aggregates, readTables(schema)), defaultSchema);
}

/** Whether the migrations of a folder produce the triggers that the catalogue and the Prisma schema mean. */
export async function migrationsAreCurrent(
  schema: string,
  { aggregates }: Catalogue,
  folder: string,
): Promise<boolean> {
  const wanted = { own: await readOwnSql(), generated: generate(aggregates, readTables(schema)) };
  return isUpToDate(await readMigrations(folder), wanted);
}
