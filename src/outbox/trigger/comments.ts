import type { StatementComments } from '../../shared/statementComments';
import { currentContext } from '../context';

/*
 * What the trigger engine adds to each statement: a comment with the request's context, which the triggers read with
 * current_query(). It costs no round trip. Prisma writes it in sqlcommenter's form, percent-encoded, so nothing in a
 * value can end the comment or the value; the reader is statement_context() in helpers.ts.
 *
 * Comments end up in the server's log and in pg_stat_activity: they hold ids, never a patient's data.
 */

/** Longest encoded value. Five of them stay well below what the triggers look at. */
const longestValue = 300;

/** Which operations write nothing; raw SQL may do anything. */
const reads: ReadonlySet<string> = new Set([
  'findUnique',
  'findUniqueOrThrow',
  'findFirst',
  'findFirstOrThrow',
  'findMany',
  'aggregate',
  'groupBy',
]);

const nothing = {};

/**
 * Stamps what may write with the current context (see runWithContext) and the name of this program, for
 * `new PrismaClient({ comments })`. Values that are too long are cut.
 */
export function contextComments({ source }: { readonly source: string }): StatementComments {
  const sourceValue = safe(source);
  return ({ query }) => {
    if (reads.has(query.action)) return nothing;
    const { actor, causationId, correlationId, traceparent } = currentContext();
    return {
      actor: safe(actor),
      causation_id: safe(causationId),
      correlation_id: safe(correlationId),
      source: sourceValue,
      traceparent: safe(traceparent),
    };
  };
}

/** A value that Prisma can encode and the triggers will read, or undefined for none. */
function safe(value: string | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  if (/^[\w.:-]{1,100}$/.test(value)) return value;
  // Prisma's encodeURIComponent throws at half a surrogate pair, and Postgres knows no NUL.
  const clean = value.replaceAll(/\p{Surrogate}/gu, '\uFFFD').replaceAll('\0', '');
  let cut = '';
  let length = 0;
  for (const character of clean) {
    length += encodeURIComponent(character).length;
    if (length > longestValue) break;
    cut += character;
  }
  return cut === '' ? undefined : cut;
}
