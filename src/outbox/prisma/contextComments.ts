import { isSilent, mayWrite, silentStatements, type StatementComments } from './statementComments';
import type { contextKeys } from './adapter/statements/contextComment';
import { contextValue, currentContext } from '../context';

/*
 * What the trigger engine adds to each statement: a comment with the request's context, which the triggers read with
 * current_query(). It costs no round trip. Prisma writes it in sqlcommenter's form, percent-encoded, so nothing in a
 * value can end the comment or the value; the reader is statement_context() in captureSql/helpers.ts.
 *
 * Comments end up in the server's log and in pg_stat_activity: they hold ids, never a patient's data.
 */

const nothing = {};

type Stamp = Readonly<Record<(typeof contextKeys)[number], string>>;

/**
 * Stamps what may write with the current context (see withContext) and the name of this program, for
 * `new PrismaClient({ comments })`.
 */
export function contextComments({ source }: { readonly source: string }): StatementComments {
  const sourceValue = contextValue(source) ?? '';
  return (statement) => {
    if (!mayWrite(statement)) return nothing;
    if (isSilent()) return silentStatements.comment(statement);
    const { actor = '', causationId = '', correlationId = '', traceparent = '' } = currentContext();
    const stamp: Stamp = {
      actor,
      causation_id: causationId,
      correlation_id: correlationId,
      source: sourceValue,
      traceparent,
    };
    return stamp;
  };
}
