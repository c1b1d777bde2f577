import { createHash } from 'node:crypto';
import type { Aggregate } from '../../../events/aggregate';
import { type CaptureBody, captureBodies } from './functions';
import { helpers } from './helpers';
import { linkCaptures } from './links';
import { callCapturePartitions } from './partitions';
import { identifier, literal, shortened } from './quote';
import type { Table } from '../schema/tables';

/*
 * From the catalogue to SQL: for each aggregate's table a function and a statement-level trigger with transition
 * tables per operation. Pure, and the same text for the same catalogue and schema.
 *
 * The functions run with the rights of their owner (SECURITY DEFINER) under a fixed search_path: the application's role
 * needs no right to write to the outbox, and no object of that role's can be put in the place of one of ours. Nobody
 * else may attach them to a table of his own, which would let him forge events.
 *
 * Each function carries its fingerprint as a comment; installed/check.ts compares it at start.
 */

/** One of the shared functions stands for all of them. */
export const helpersFunction = 'signalbox.statement_context(text)';

const quote = '$capture$';

/** As pg_proc.proconfig has them. */
const settings = ['search_path=pg_catalog, pg_temp'];
/** Only a table with floating-point values needs the last setting, and each costs every statement a little. */
const settingsForFloats = [...settings, 'extra_float_digits=1'];

const securityClause = (given: readonly string[]): string =>
  `SECURITY DEFINER ${given.map((setting) => `SET ${setting.replace('=', ' = ')}`).join(' ')}`;

/** One trigger with its function. */
export interface CaptureTrigger {
  readonly aggregateType: string;
  /** As an SQL name, with its Postgres schema where the model names one. */
  readonly table: string;
  /** Whether the model names its Postgres schema. */
  readonly qualified: boolean;
  /** Unquoted. */
  readonly name: string;
  /** Of the schema `signalbox`; unquoted. */
  readonly functionName: string;
  /** The function's body, letter for letter as Postgres keeps it. */
  readonly body: string;
  /** Whether the function runs with its owner's rights. */
  readonly definer: boolean;
  /** What is set for the time that the function runs, as pg_proc.proconfig has it. */
  readonly settings: readonly string[];
  readonly fingerprint: string;
  /** Creates or replaces the function and the trigger. */
  readonly sql: string;
}

export interface Generated {
  readonly triggers: readonly CaptureTrigger[];
  /** Of the functions that all triggers share; a comment on `helpersFunction`. */
  readonly helpersFingerprint: string;
  /** The functions that all triggers share. */
  readonly helpersSql: string;
  /** Puts the triggers on partitions, after any of them was created. */
  readonly partitionsSql: string;
  /** All of it, to be run as often as one likes. */
  readonly sql: string;
}

/**
 * @throws Error when a rule can't be said in SQL (a list field, a key that is not unique, a name that Postgres would cut).
 */
export function generate(aggregates: readonly Aggregate[], tables: ReadonlyMap<string, Table>): Generated {
  const triggers = aggregates.flatMap((aggregate) => {
    const table = tables.get(aggregate.model);
    if (!table) throw new Error(`The Prisma schema has no model "${aggregate.model}"`);
    return triggersOf(aggregate, table);
  });
  const helpersFingerprint = sha256(helpers);
  const shared = `${helpers}\nCOMMENT ON FUNCTION ${helpersFunction} IS ${literal(describe(helpersFingerprint))};`;
  const parts = [shared, ...triggers.map((trigger) => trigger.sql), callCapturePartitions];
  const sql = `${parts.join('\n\n')}\n`;
  const partitionsSql = callCapturePartitions;
  return { triggers, helpersFingerprint, helpersSql: shared, partitionsSql, sql };
}

function triggersOf(aggregate: Aggregate, table: Table): CaptureTrigger[] {
  const captures = captureBodies(aggregate, table).map((capture) =>
    captureTrigger(aggregate, table, capture),
  );
  const deletes = Object.values(aggregate.events).some(({ on }) => on === 'delete');
  const links = linkCaptures(aggregate, table).flatMap(({ relation, join, bodies, unlinks }) => [
    ...bodies.map((capture) => captureTrigger(aggregate, join, capture, `_${relation}_`)),
    ...(unlinks ? [truncateTrigger(aggregate, join, `_${relation}_`)] : []),
  ]);
  return [...captures, ...(deletes ? [truncateTrigger(aggregate, table)] : []), ...links];
}

/** Where the rows are: a model's table, or that of a relation. */
type Place = Pick<Table, 'schema' | 'name'>;

interface TriggerParts {
  readonly suffix: string;
  readonly functionName: string;
  readonly body: string;
  /** The settings of a function that runs with its owner's rights; none for one that does not. */
  readonly settings?: readonly string[];
  /** What stands before ON, and what stands after the table. */
  readonly fires: string;
  readonly referencing?: string;
}

/** `part` tells the names of a relation's triggers from those of its model. */
function captureTrigger(aggregate: Aggregate, table: Place, capture: CaptureBody, part = ''): CaptureTrigger {
  const { operation, referencing, body } = capture;
  return trigger(aggregate, table, {
    suffix: `${part}${operation}`,
    functionName: shortened(`capture_${aggregate.type}_${part}${operation}`),
    body,
    settings: hasFloats(aggregate) ? settingsForFloats : settings,
    fires: `AFTER ${operation.toUpperCase()}`,
    referencing: `REFERENCING ${referencing}`,
  });
}

/** TRUNCATE names no rows, so no event could be written for them. */
function truncateTrigger(aggregate: Aggregate, table: Place, part = ''): CaptureTrigger {
  return trigger(aggregate, table, {
    suffix: `${part}truncate`,
    functionName: shortened(`refuse_truncate_${aggregate.type}${part === '' ? '' : `_${part}`}`),
    body: `BEGIN
  RAISE EXCEPTION 'TRUNCATE of % is refused: its rows would vanish without the events that their deletion means',
      TG_RELID::regclass
    USING ERRCODE = 'feature_not_supported',
      HINT = 'Use DELETE, or switch the trigger ' || TG_NAME || ' off for as long as it takes.';
END`,
    fires: 'BEFORE TRUNCATE',
  });
}

function trigger(
  aggregate: Aggregate,
  { schema, name: tableName }: Place,
  parts: TriggerParts,
): CaptureTrigger {
  const { functionName, settings: given, fires, referencing } = parts;
  const name = shortened(`signalbox_${aggregate.type}_${parts.suffix}`);
  const table = qualified(schema, tableName);
  const body = `\n${parts.body}\n`;
  if (body.includes(quote)) throw new Error(`A name of the aggregate "${aggregate.type}" contains ${quote}`);
  const quoted = `signalbox.${identifier(functionName)}()`;
  const lines = [
    `CREATE OR REPLACE FUNCTION ${quoted} RETURNS trigger LANGUAGE plpgsql`,
    ...(given === undefined ? [] : [`  ${securityClause(given)}`]),
    `  AS ${quote}${body}${quote};`,
    `REVOKE ALL ON FUNCTION ${quoted} FROM PUBLIC;`,
    `CREATE OR REPLACE TRIGGER ${identifier(name)} ${fires} ON ${table}`,
    ...(referencing === undefined ? [] : [`  ${referencing}`]),
    `  FOR EACH STATEMENT EXECUTE FUNCTION ${quoted};`,
  ];
  const fingerprint = sha256(lines.join('\n'));
  const comment = `COMMENT ON FUNCTION ${quoted} IS ${literal(describe(fingerprint))};`;
  return {
    aggregateType: aggregate.type,
    table,
    qualified: schema !== undefined,
    name,
    functionName,
    body,
    definer: given !== undefined,
    settings: given ?? [],
    fingerprint,
    sql: [...lines, comment].join('\n'),
  };
}

/** The comment on a function. */
export function describe(fingerprint: string): string {
  return `Generated by "npx signalbox sync" from the catalogue: ${fingerprint}`;
}

function hasFloats(aggregate: Aggregate): boolean {
  return Object.values(aggregate.fields).some(({ kind }) => kind === 'float');
}

/** Without a schema of its own a table is looked up as Prisma's own migrations do, by the connection's search path. */
function qualified(schema: string | undefined, name: string): string {
  return schema === undefined ? identifier(name) : `${identifier(schema)}.${identifier(name)}`;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
