import { aggregates } from '../../../healthcore/catalogue';
import type { PrismaClient } from '../../../generated/prisma/client';
import { readInternals } from '../internals';
import { readTables } from '../schema/tables';
import { findProblems, type TriggerProblem } from './check';
import { generate } from './generate';
import { isUpToDate } from './migration';
import { readMigrations } from './readMigrations';

/**
 * Returns what looks at the triggers in the client's database, as often as it is called: what is wrong with them,
 * nothing when they fit the catalogue.
 */
export function triggerInspector(client: PrismaClient): () => Promise<TriggerProblem[]> {
  const { schema, defaultSchema } = readInternals(client);
  const generated = generate(aggregates, readTables(schema));
  const run = (sql: string, ...parameters: unknown[]) => client.$queryRawUnsafe(sql, ...parameters);
  return () => findProblems(run, generated, defaultSchema);
}

/** Whether the migrations of a folder produce the triggers that the catalogue and the client's schema mean. */
export async function migrationsAreCurrent(client: PrismaClient, folder: string): Promise<boolean> {
  const { schema } = readInternals(client);
  return isUpToDate(await readMigrations(folder), generate(aggregates, readTables(schema)));
}
