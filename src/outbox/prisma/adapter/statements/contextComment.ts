/*
 * The comment by which a statement says in whose name it writes, in sqlcommenter's form. The trigger engine stamps it
 * (src/outbox/prisma/contextComments.ts) and its triggers read it (captureSql/contextSql.ts).
 */

/**
 * The keys of the comment, in the order in which Prisma writes them (it sorts). All are there in every comment, empty
 * where the context has no value: the triggers read a comment of this one form much faster than any other.
 */
export const contextKeys = ['actor', 'causation_id', 'correlation_id', 'source', 'traceparent'] as const;

/** Values that mean themselves: a percent sign would have to be decoded, and a backslash escapes a quote. */
const form = new RegExp(`^${contextKeys.map((key) => `${key}='[^'%\\\\]*'`).join(',')}$`);

/**
 * Cuts the context's comment off the end of a statement, so that a statement has the same text in whosever name it
 * comes. A comment that holds more stays, for somebody wants to see it in the server's log; so does one with a value
 * that is not plain.
 */
export function cutContextComment(sql: string): { readonly text: string; readonly context?: string } {
  if (!sql.endsWith('*/')) return { text: sql };
  const start = sql.lastIndexOf('/*');
  // Most names have one ("user:42").
  const context = sql.slice(start + 2, -2).replaceAll('%3A', ':');
  const text = sql.slice(0, start).trimEnd();
  // Whoever reads the statement takes the comment at its end for the one that counts.
  return form.test(context) && !text.endsWith('*/') ? { text, context } : { text: sql };
}
