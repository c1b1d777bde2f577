import { capturedStatements, statementMode, type StatementComments } from './statementComments';

/**
 * What a Prisma client writes into the comment of an INSERT into the table "a" that the middleware sends. Each engine
 * asks before it takes a client: with the other engine's comments on it, events would be written twice or not at all.
 */
export function stampedComments(client: object): Readonly<Record<string, string | undefined>> {
  const config = (client as { _engineConfig?: { sqlCommenters?: readonly StatementComments[] } })
    ._engineConfig;
  const insert = {
    query: { action: 'createOne', type: 'single', query: {} },
    sql: 'INSERT INTO "a" VALUES (1)',
  };
  const tags = statementMode.run(capturedStatements, () =>
    (config?.sqlCommenters ?? []).map((comments) => comments(insert)),
  );
  return Object.assign({}, ...tags) as Record<string, string | undefined>;
}
