import type { Aggregate } from '../../../events/aggregate';
import { UserError } from '../../../shared/lifecycle';
import { readTables } from '../schema/tables';
import { describe, type Generated, generate } from '../captureSql/generate';
import { type FoundTrigger, fullTableName, type Inspection, inspectTriggers, type RunSql } from './inspect';

/*
 * Whether the database does what the catalogue says. The trigger engine asks at start and refuses to run on any
 * difference: a trigger that is missing, switched off or older than the catalogue would lose events in silence. While
 * programs run, triggerWatch.ts asks again.
 */

/** What puts a difference right: each has a sentence in `remedies`. */
export type Remedy = keyof typeof remedies;

/** What to do, for a program that has been refused or that goes on without its triggers. */
export const remedies = {
  reinstall:
    'Write the migration with "npx signalbox sync", apply it with "npx signalbox migrate", and start again. If both have nothing to do, the triggers were changed by hand: "npx signalbox sync --repair" writes a migration that installs them again.',
  partitions:
    'Run "SELECT signalbox.capture_partitions()" as the owner of the tables, each time after partitions were added.',
  replicationRole:
    'Give session_replication_role its value "origin" again: see ALTER ROLE … RESET, ALTER DATABASE … RESET and postgresql.conf.',
} as const;

export interface TriggerProblem {
  /** One sentence without its full stop. */
  readonly problem: string;
  readonly remedy: Remedy;
}

/** What is wrong with the installed triggers; empty when they do what the catalogue says. */
export async function findProblems(
  run: RunSql,
  generated: Generated,
  defaultSchema = 'public',
): Promise<TriggerProblem[]> {
  const found = await inspectTriggers(run, generated, defaultSchema);
  const reinstall = [
    ...found.triggers.flatMap((row) => problemOf(row, generated, defaultSchema) ?? []),
    ...found.leftovers.map(
      ({ name, on_table }) => `the trigger ${name} on ${on_table} belongs to nothing in the catalogue`,
    ),
    ...(helpersDiffer(found, generated)
      ? ['the functions that the triggers share are missing or of another version']
      : []),
  ];
  return [
    ...problems('reinstall', reinstall),
    ...problems('partitions', found.triggers.flatMap(partitionProblem)),
    ...problems('replicationRole', silencedProblem(found)),
  ];
}

/** A table or a partition is named once, though several triggers miss it. */
const problems = (remedy: Remedy, sentences: readonly string[]): TriggerProblem[] =>
  [...new Set(sentences)].map((problem) => ({ problem, remedy }));

const helpersDiffer = ({ helpers }: Inspection, { helpersFingerprint }: Generated): boolean =>
  helpers.comment !== describe(helpersFingerprint) || !helpers.plain;

function problemOf(row: FoundTrigger, { triggers }: Generated, defaultSchema: string): string | undefined {
  const expected = triggers.find(
    (trigger) => trigger.name === row.name && fullTableName(trigger, defaultSchema) === row.on_table,
  );
  const where = row.partition ?? expected?.table ?? row.on_table;
  const trigger = `the trigger ${row.name} on ${where}`;
  if (!row.table_exists) return `the table ${row.on_table} is missing`;
  if (row.enabled === null) return row.partition === null ? `${trigger} is missing` : undefined;
  if (row.enabled !== 'O' && row.enabled !== 'A') return `${trigger} is switched off`;
  const same =
    row.function_name === expected?.functionName &&
    row.body === expected.body &&
    row.definer === expected.definer &&
    sameSettings(row.settings, expected.settings) &&
    row.comment === describe(expected.fingerprint);
  return same ? undefined : `${trigger} differs from the catalogue`;
}

const sameSettings = (found: readonly string[] | null, expected: readonly string[]): boolean =>
  [...(found ?? [])].sort().join('\n') === [...expected].sort().join('\n');

/** A statement fires the triggers of the table that it names, and of no other: not those above a partition. */
function partitionProblem({ partition, on_table: table, enabled }: FoundTrigger): string[] {
  if (partition === null || enabled !== null) return [];
  return [
    `the partition ${partition} of ${table} lacks triggers, so a statement that names it would leave no event`,
  ];
}

function silencedProblem({ silenced, triggers }: Inspection): string[] {
  if (silenced === null || triggers.every(({ enabled }) => enabled === 'A')) return [];
  const where = silenced === 'session' ? 'on this connection' : 'for connections that this role opens';
  return [`session_replication_role is "replica" ${where}, so no trigger fires`];
}

/** The sentences of problems, and what to do about them. */
export function describeProblems(found: readonly TriggerProblem[]): string {
  const wanted = new Set(found.map(({ remedy }) => remedies[remedy]));
  return `${found.map(({ problem }) => problem).join('; ')}. ${[...wanted].join(' ')}`;
}

/** The installed triggers do not do what the catalogue says. */
export class TriggersDifferError extends UserError {
  override readonly name = 'TriggersDifferError';

  constructor(readonly problems: readonly TriggerProblem[]) {
    super(`The trigger engine can't start: ${describeProblems(problems)}`);
  }
}

/** The schema of tables whose models name none, and the text of the Prisma schema. */
export interface CheckedSchema {
  readonly schema: string;
  readonly defaultSchema?: string;
}

/** @throws TriggersDifferError naming every difference. */
export async function assertTriggersMatch(
  run: RunSql,
  aggregates: readonly Aggregate[],
  { schema, defaultSchema }: CheckedSchema,
): Promise<void> {
  const found = await findProblems(run, generate(aggregates, readTables(schema)), defaultSchema);
  if (found.length > 0) throw new TriggersDifferError(found);
}
