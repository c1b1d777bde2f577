import type { StatementComments } from '../shared/statementComments';

/**
 * What a Prisma client writes into the comment of an INSERT into the table "a". Each engine asks before it takes a
 * client: with the other engine's comments on it, events would be written twice or not at all.
 */
export function stampedComments(client: object): Readonly<Record<string, string | undefined>> {
  const config = (client as { _engineConfig?: { sqlCommenters?: readonly StatementComments[] } })
    ._engineConfig;
  const insert = {
    query: { action: 'createOne', type: 'single', query: {} },
    sql: 'INSERT INTO "a" VALUES (1)',
  };
  return Object.assign({}, ...(config?.sqlCommenters ?? []).map((comments) => comments(insert))) as Record<
    string,
    string | undefined
  >;
}
