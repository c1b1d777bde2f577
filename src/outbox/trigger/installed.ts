import { aggregates } from '../../events/catalogue';
import type { PrismaClient } from '../../generated/prisma/client';
import { readInternals } from '../capture/internals';
import { findProblems } from './check';
import { generate } from './generate';
import { readTables } from '../schema/tables';

/** What is wrong with the triggers in the client's database, one sentence each; empty when they fit the catalogue. */
export function installedTriggerProblems(client: PrismaClient): Promise<string[]> {
  const { schema } = readInternals(client);
  return findProblems(
    (sql, ...parameters) => client.$queryRawUnsafe(sql, ...parameters),
    generate(aggregates, readTables(schema)),
  );
}
