import type { Prisma } from '../../generated/prisma/client';

/**
 * What a practitioner's name is compared by. The database's function is the only one that says so: two of them would
 * differ as soon as Node and Postgres know different versions of Unicode.
 */
export async function practitionerKey(
  database: Pick<Prisma.TransactionClient, '$queryRaw'>,
  practitioner: string,
): Promise<string> {
  const [row] = await database.$queryRaw<{ key: string }[]>`SELECT name_key(${practitioner}) AS key`;
  if (!row) throw new Error('Postgres answered no row to a SELECT without FROM');
  return row.key;
}
