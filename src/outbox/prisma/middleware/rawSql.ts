import { CaptureError } from '../../captureError';
import type { CapturedModel } from './model';

/*
 * Raw SQL passes Prisma's models by, and capture with them. A statement that plainly writes to a captured table is
 * refused. This is a net for mistakes and no proof: what a function, a trigger or a view does is not seen.
 */

/** @throws CaptureError when the SQL text writes to a table of a captured model. */
export function refuseRawWrites(
  models: ReadonlyMap<string, CapturedModel>,
  method: string,
  args: unknown,
): void {
  const [written] = writtenModels(models, args);
  if (!written) return;
  const { name, table } = written;
  throw new CaptureError(
    `${method} writes to the table "${table}" of the model ${name}, whose events capture could not tell. Use ` +
      `prisma.${name.charAt(0).toLowerCase()}${name.slice(1)} instead, or the trigger engine (OUTBOX_CAPTURE=trigger), ` +
      'which captures raw SQL. For a correction that is to have no events: withoutCapture(() => …).',
  );
}

/** The captured models to whose tables an SQL text plainly writes. */
export function writtenModels(models: ReadonlyMap<string, CapturedModel>, args: unknown): CapturedModel[] {
  const sql = withoutTexts(sqlOf(args));
  const written = new Set([...sql.matchAll(writes)].map(([, , table = '']) => unquoted(table)));
  return [...models.values()].filter(({ table }) => written.has(table));
}

const name = '(?:"(?:[^"]|"")+"|[\\w$]+)';
const writes = new RegExp(
  `\\b(insert\\s+into|update(?:\\s+only)?|delete\\s+from(?:\\s+only)?|truncate(?:\\s+table)?(?:\\s+only)?|merge\\s+into(?:\\s+only)?|copy)\\s+(?:${name}\\s*\\.\\s*)?(${name})`,
  'gi',
);

const unquoted = (table: string): string =>
  table.startsWith('"') ? table.slice(1, -1).replaceAll('""', '"') : table.toLowerCase();

/** Comments become spaces, string constants empty; names in double quotes stay. */
function withoutTexts(sql: string): string {
  return sql.replaceAll(/--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'/g, ' ');
}

/** The SQL of a request: Prisma.sql, a template's parts with their values, or a text with its values. */
function sqlOf(args: unknown): string {
  if (Array.isArray(args)) {
    const [first] = args as unknown[];
    return Array.isArray(first) ? first.join(' ? ') : String(first);
  }
  const { sql, strings } = (args ?? {}) as { sql?: unknown; strings?: readonly string[] };
  return typeof sql === 'string' ? sql : (strings?.join(' ? ') ?? '');
}
