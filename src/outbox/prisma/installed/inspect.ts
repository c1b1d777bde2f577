import { type CaptureTrigger, type Generated, helpersFunction } from '../captureSql/generate';
import { helperNames } from '../captureSql/helpers';
import { identifier } from '../captureSql/quote';

/*
 * What the database has of the capture triggers, read by one statement of the catalogues: it touches no table of the
 * application, and takes about a millisecond.
 */

/** Runs one statement and returns its rows; Prisma's $queryRawUnsafe does. */
export type RunSql = (sql: string, ...parameters: unknown[]) => Promise<unknown>;

/** A trigger that should be there, with what is. */
export interface FoundTrigger {
  readonly name: string;
  /** The table as an SQL name, with its schema. */
  readonly on_table: string;
  /** One of the table's partitions, or null for the table itself. */
  readonly partition: string | null;
  readonly table_exists: boolean;
  /** pg_trigger.tgenabled; null when the trigger is missing. */
  readonly enabled: string | null;
  readonly function_name: string | null;
  readonly body: string | null;
  readonly definer: boolean | null;
  readonly settings: readonly string[] | null;
  readonly comment: string | null;
}

export interface Inspection {
  readonly triggers: readonly FoundTrigger[];
  /** Triggers of ours that nothing generates any more, and others that call our functions and would double events. */
  readonly leftovers: readonly { readonly name: string; readonly on_table: string }[];
  /** The comment on the shared functions, and whether all of them have the caller's rights and settings. */
  readonly helpers: { readonly comment: string | null; readonly plain: boolean };
  /** Where session_replication_role is "replica", which silences triggers; null where it is not. */
  readonly silenced: 'session' | 'role' | null;
}

/** $1 are the triggers' names, $2 their tables with their schemas, $3 a shared function, $4 the names of all of them. */
const inspection = `
  WITH RECURSIVE expected AS (
    SELECT name, on_table, nr, to_regclass(on_table)::oid AS relid
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(name, on_table, nr)
  ), wanted AS (
    SELECT name, on_table, nr, relid, false AS partition FROM expected
    UNION
    SELECT name, on_table, nr, inhrelid, true FROM wanted
    JOIN pg_inherits ON inhparent = relid
    JOIN pg_class ON pg_class.oid = inhrelid AND relkind IN ('r', 'p')
  ), found AS (
    SELECT w.name, w.on_table, CASE WHEN w.partition THEN w.relid::regclass::text END AS partition,
      w.relid IS NOT NULL AS table_exists, t.tgenabled::text AS enabled, p.proname::text AS function_name,
      p.prosrc AS body, p.prosecdef AS definer, p.proconfig AS settings,
      obj_description(p.oid, 'pg_proc') AS comment
    FROM wanted w
    LEFT JOIN pg_trigger t ON t.tgname = w.name AND t.tgrelid = w.relid AND NOT t.tgisinternal
    LEFT JOIN pg_proc p ON p.oid = t.tgfoid
    ORDER BY w.nr, w.partition, w.relid
  ), leftovers AS (
    SELECT t.tgname::text AS name, t.tgrelid::regclass::text AS on_table
    FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'signalbox' AND NOT t.tgisinternal AND t.tgparentid = 0
      AND (t.tgname LIKE 'signalbox\\_%' OR p.proname ~ '^(capture|refuse_truncate)_')
      AND NOT EXISTS (SELECT FROM wanted w WHERE w.name = t.tgname AND w.relid = t.tgrelid)
    ORDER BY on_table, name
  ), helpers AS (
    -- They run with the caller's rights and the settings of the function that calls them.
    SELECT obj_description(to_regprocedure($3), 'pg_proc') AS comment,
      coalesce(bool_and(NOT prosecdef AND proconfig IS NULL), false) AS plain
    FROM pg_proc WHERE pronamespace = to_regnamespace('signalbox') AND proname = ANY ($4::text[])
  )
  SELECT coalesce((SELECT json_agg(found) FROM found), '[]') AS triggers,
    coalesce((SELECT json_agg(leftovers) FROM leftovers), '[]') AS leftovers,
    (SELECT to_json(helpers) FROM helpers) AS helpers,
    CASE WHEN current_setting('session_replication_role') = 'replica' THEN 'session'
      WHEN EXISTS (SELECT FROM pg_db_role_setting JOIN pg_database d ON d.datname = current_database()
        WHERE setdatabase IN (0, d.oid) AND setrole IN (0, to_regrole(quote_ident(session_user)))
          AND lower(setconfig::text) LIKE '%session_replication_role=replica%') THEN 'role' END AS silenced`;

/**
 * Looks for the triggers on the tables that Prisma writes to: one whose model names no Postgres schema is in
 * `defaultSchema`, whatever the connection's search_path says.
 */
export async function inspectTriggers(
  run: RunSql,
  { triggers }: Generated,
  defaultSchema: string,
): Promise<Inspection> {
  const names = triggers.map(({ name }) => name);
  const tables = triggers.map((trigger) => fullTableName(trigger, defaultSchema));
  const [found] = (await run(inspection, names, tables, helpersFunction, helperNames)) as [Inspection];
  return found;
}

/** The table of a trigger, always with its Postgres schema. */
export function fullTableName({ table, qualified }: CaptureTrigger, defaultSchema: string): string {
  return qualified ? table : `${identifier(defaultSchema)}.${table}`;
}
