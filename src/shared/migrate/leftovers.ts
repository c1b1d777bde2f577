import { type Client, escapeIdentifier } from 'pg';
import { UserError } from '../lifecycle';
import type { Logger } from '../logger';
import type { Migration } from './readMigrations';

/*
 * `DROP SCHEMA public CASCADE`, and with it `prisma migrate reset`, removes the bookkeeping and leaves the schemas that
 * the migrations have created beside it: they would fail on them. These are renamed rather than dropped, for what is in
 * them may be wanted. Those that are created IF NOT EXISTS, as ours is, stay as they are: the outbox may hold events that
 * have not been published.
 */

const createSchema = /^\s*CREATE\s+SCHEMA\s+(IF\s+NOT\s+EXISTS\s+)?"?(\w+)"?\s*;/gim;

/** Tables that call functions of these schemas, and bookkeeping of other schemas: the schemas belong to them. */
const findOwners = `
  SELECT DISTINCT n.nspname::text AS owner
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_class c ON c.oid = t.tgrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_namespace f ON f.oid = p.pronamespace
  WHERE f.nspname = ANY ($1::text[]) AND n.nspname <> ALL ($1::text[])
  UNION
  SELECT n.nspname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relname = '_prisma_migrations' AND c.relkind = 'r' AND n.nspname <> $2`;

/**
 * Renames the schemas that are left from before a reset. Call it in the transaction of the first migration.
 * @throws UserError when they are in use by another schema of the same database.
 */
export async function setLeftoversAside(
  client: Client,
  schema: string,
  migrations: readonly Migration[],
  logger: Logger,
): Promise<void> {
  const created = migrations.flatMap(({ sql }) => [...sql.matchAll(createSchema)]);
  const made = created.map(([, , name]) => name);
  const kept = new Set(created.filter(([, ifMissing]) => ifMissing !== undefined).map(([, , name]) => name));
  const { rows: left } = await client.query<{ name: string }>(
    'SELECT nspname::text AS name FROM pg_namespace WHERE nspname = ANY ($1::text[]) ORDER BY 1',
    [made],
  );
  if (left.length === 0) return;
  const names = left.map(({ name }) => name);
  const { rows: owners } = await client.query<{ owner: string }>(findOwners, [names, schema]);
  if (owners.length > 0) {
    throw new UserError(
      `The schema ${names.join(', ')} of this database is in use by the schema "${owners.map(({ owner }) => owner).join('", "')}", so "${schema}" can't have an outbox of its own here. Use another database for it.`,
    );
  }
  const suffix = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 17);
  for (const name of names.filter((each) => !kept.has(each))) {
    const aside = `${name}_before_${suffix}`;
    await client.query(`ALTER SCHEMA ${escapeIdentifier(name)} RENAME TO ${escapeIdentifier(aside)}`);
    logger.warn(
      { schema: name, renamed: aside },
      'a schema is left from before this database was reset; it was renamed, and may be dropped when nothing in it is wanted',
    );
  }
}
