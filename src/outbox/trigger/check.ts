import type { Aggregate } from '../../events/aggregate';
import { UserError } from '../../shared/lifecycle';
import { describe, type Generated, generate, helpersFunction } from './generate';
import { helperNames } from './helpers';
import { readTables } from '../schema/tables';

/*
 * Whether the database does what the catalogue says. The trigger engine asks at start and refuses to run on any
 * difference: a trigger that is missing, switched off or older than the catalogue would lose events in silence.
 */

/** Runs one statement and gives its rows; Prisma's $queryRawUnsafe does. */
export type RunSql = (sql: string, ...parameters: unknown[]) => Promise<unknown>;

interface Found {
  name: string;
  on_table: string;
  table_exists: boolean;
  enabled: string | null;
  function_name: string | null;
  body: string | null;
  definer: boolean | null;
  settings: string[] | null;
  comment: string | null;
}

const findTriggers = `
  SELECT e.name, e.on_table, to_regclass(e.on_table) IS NOT NULL AS table_exists, t.tgenabled::text AS enabled,
    p.proname::text AS function_name, p.prosrc AS body, p.prosecdef AS definer, p.proconfig AS settings,
    obj_description(p.oid, 'pg_proc') AS comment
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS e(name, on_table, nr)
  LEFT JOIN pg_trigger t ON t.tgname = e.name AND t.tgrelid = to_regclass(e.on_table) AND NOT t.tgisinternal
  LEFT JOIN pg_proc p ON p.oid = t.tgfoid
  ORDER BY e.nr`;

/** Triggers of ours that nothing generates any more, and others that call our functions and would double events. */
const findLeftovers = `
  SELECT t.tgname::text AS name, t.tgrelid::regclass::text AS on_table
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = 'signalbox' AND NOT t.tgisinternal AND t.tgparentid = 0
    AND (t.tgname LIKE 'signalbox\\_%' OR p.proname ~ '^(capture|refuse_truncate)_')
    AND NOT EXISTS (SELECT FROM unnest($1::text[], $2::text[]) AS e(name, on_table)
      WHERE e.name = t.tgname AND to_regclass(e.on_table) = t.tgrelid)
  ORDER BY on_table, name`;

/** The helpers run with the caller's rights and the settings of the function that calls them. */
const findHelpers = `
  SELECT obj_description(to_regprocedure($1), 'pg_proc') AS comment,
    coalesce(bool_and(NOT prosecdef AND proconfig IS NULL), false) AS plain
  FROM pg_proc WHERE pronamespace = to_regnamespace('signalbox') AND proname = ANY ($2::text[])`;

/** What is wrong with the installed triggers, one sentence each; empty when they do what the catalogue says. */
export async function findProblems(run: RunSql, generated: Generated): Promise<string[]> {
  const { triggers } = generated;
  const expected = [triggers.map(({ name }) => name), triggers.map(({ table }) => table)];
  const found = (await run(findTriggers, ...expected)) as Found[];
  const leftovers = (await run(findLeftovers, ...expected)) as Pick<Found, 'name' | 'on_table'>[];
  const [helpers] = (await run(findHelpers, helpersFunction, helperNames)) as {
    comment: string | null;
    plain: boolean;
  }[];
  const helpersDiffer = helpers?.comment !== describe(generated.helpersFingerprint) || !helpers.plain;
  return [
    ...found.flatMap((row) => problemOf(row, generated) ?? []),
    ...leftovers.map(
      ({ name, on_table }) => `the trigger ${name} on ${on_table} belongs to nothing in the catalogue`,
    ),
    ...(helpersDiffer ? ['the functions that the triggers share are missing or of another version'] : []),
  ];
}

function problemOf(row: Found, { triggers }: Generated): string | undefined {
  const { name, on_table: table } = row;
  const expected = triggers.find((trigger) => trigger.name === name && trigger.table === table);
  if (!row.table_exists) return `the table ${table} is missing`;
  if (row.enabled === null) return `the trigger ${name} on ${table} is missing`;
  if (row.enabled !== 'O' && row.enabled !== 'A') return `the trigger ${name} on ${table} is switched off`;
  const same =
    row.function_name === expected?.functionName &&
    row.body === expected.body &&
    row.definer === expected.definer &&
    sameSettings(row.settings, expected.settings) &&
    row.comment === describe(expected.fingerprint);
  return same ? undefined : `the trigger ${name} on ${table} differs from the catalogue`;
}

const sameSettings = (found: readonly string[] | null, expected: readonly string[]): boolean =>
  [...(found ?? [])].sort().join('\n') === [...expected].sort().join('\n');

/** The installed triggers do not do what the catalogue says. */
export class TriggersDifferError extends UserError {
  override readonly name = 'TriggersDifferError';

  constructor(readonly problems: readonly string[]) {
    super(
      `The trigger engine can't start: ${problems.join('; ')}. Write the migration with "npm run events:migration", apply it with "npm run migrate", and start again. If both have nothing to do, somebody has changed the triggers by hand: "npm run events:migration -- --repair" writes a migration that installs them again.`,
    );
  }
}

/** @throws TriggersDifferError naming every difference. `schema` is the text of the Prisma schema. */
export async function assertTriggersMatch(
  run: RunSql,
  aggregates: readonly Aggregate[],
  schema: string,
): Promise<void> {
  const problems = await findProblems(run, generate(aggregates, readTables(schema)));
  if (problems.length > 0) throw new TriggersDifferError(problems);
}
