/*
 * Comments on SQL statements, as Prisma's option `comments` wants them. Here is the mark of the capture engine
 * "middleware"; the trigger engine's comments, which carry the request's context, are in src/outbox/trigger.
 *
 * Where both engines run side by side, the triggers of a table leave a statement alone whose mark names that table,
 * because the client that sent it writes the events itself. So the mark is on the operations that the middleware
 * captures and on nothing else: raw SQL goes without, and what a foreign key does to another table in the course of a
 * marked statement is not covered by the mark; both are captured by triggers. See docs/decisions/0005.
 */

/** The part of Prisma's SqlCommenterPlugin that is used here. */
export type StatementComments = (statement: {
  readonly query: { readonly action: string };
  readonly sql?: string;
}) => Readonly<Record<string, string | undefined>>;

/** The operations of a model that write, by the names that Prisma gives them here. */
const modelWrites: ReadonlySet<string> = new Set([
  'createOne',
  'createMany',
  'createManyAndReturn',
  'updateOne',
  'updateMany',
  'updateManyAndReturn',
  'upsertOne',
  'deleteOne',
  'deleteMany',
]);

const nothing = {};

/** How Prisma begins the statements that write, each of one table. */
const target = /^(?:INSERT INTO|UPDATE|DELETE FROM) (?:"(?:[^"]|"")+"\.)?"((?:[^"]|"")+)"/;

/**
 * Marks the writes of a client that the middleware engine captures. A client without capture must not have it: its
 * writes would reach the outbox by neither engine.
 */
export function markedComments(): StatementComments {
  return ({ query, sql = '' }) => {
    const table = modelWrites.has(query.action) ? target.exec(sql)?.[1] : undefined;
    return table === undefined ? nothing : { signalbox: `middleware.${table.replaceAll('""', '"')}` };
  };
}
