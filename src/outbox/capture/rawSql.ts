import { CaptureError } from './captureError';
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
  const sql = withoutTexts(sqlOf(args));
  const written = new Set([...sql.matchAll(writes)].map(([, , table = '']) => unquoted(table)));
  for (const { name, table } of models.values()) {
    if (!written.has(table)) continue;
    throw new CaptureError(
      `${method} writes to the table "${table}" of the model ${name}, whose events capture could not tell. Use ` +
        `prisma.${name.charAt(0).toLowerCase()}${name.slice(1)} instead; a correction that is to have no events can be ` +
        'made with the client that withCapture was given, and the trigger engine (OUTBOX_CAPTURE=trigger) captures raw SQL.',
    );
  }
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

/** What a query hook gets: Prisma.sql, a template's parts with their values, or a text with its values. */
function sqlOf(args: unknown): string {
  if (Array.isArray(args)) {
    const [first] = args as unknown[];
    return Array.isArray(first) ? first.join(' ? ') : String(first);
  }
  const { sql, strings } = (args ?? {}) as { sql?: unknown; strings?: readonly string[] };
  return typeof sql === 'string' ? sql : (strings?.join(' ? ') ?? '');
}
