import { AsyncLocalStorage } from 'node:async_hooks';
import { processState } from '../../shared/processState';

/*
 * Comments on SQL statements, as Prisma's option `comments` wants them, and what decides about them.
 *
 * Installed triggers leave a statement alone whose comment says that its events are written elsewhere, or not wanted.
 * So the comment must belong to the one request for which that is true, and not to the client, which others use as well:
 * extensions that write, and whoever holds the client that `withCapture` was given. `statementMode` is that request's:
 * it is set around the sending of the request and of nothing else (src/outbox/prisma/middleware/clientFamily.ts). See
 * docs/decisions/0005 and 0012.
 */

/** A statement that is about to be sent, as far as it is used here. */
export interface Statement {
  readonly query: { readonly action: string };
  readonly sql?: string;
}

export type Tags = Readonly<Record<string, string | undefined>>;

/** The part of Prisma's SqlCommenterPlugin that is used here. */
export type StatementComments = (statement: Statement) => Tags;

/** How the statements of a request are captured. */
export interface StatementMode {
  /**
   * `captured`: by the middleware, which has sent them; `uncaptured`: by triggers; `silent`: not at all, because the
   * caller asked for it.
   */
  readonly kind: 'captured' | 'uncaptured' | 'silent';
  readonly comment: StatementComments;
}

/** The mode of the request that is being sent; undefined for most, which are of no interest to the triggers. */
export const statementMode = processState(
  'statementMode',
  () => new AsyncLocalStorage<StatementMode | undefined>(),
);

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

export const mayWrite = ({ query }: Statement): boolean => !reads.has(query.action);

const nothing: Tags = {};
const silence: Tags = { signalbox: 'none' };

/** How Prisma begins the statements that write, each of one table. */
const target = /^(?:INSERT INTO|UPDATE|DELETE FROM) (?:"(?:[^"]|"")+"\.)?"((?:[^"]|"")+)"/;

/**
 * Statements that the middleware has sent. The mark names the table, because what a foreign key does to another table in
 * the course of the statement is captured by triggers.
 */
export const capturedStatements: StatementMode = {
  kind: 'captured',
  comment: ({ query, sql = '' }) => {
    const table = modelWrites.has(query.action) ? target.exec(sql)?.[1] : undefined;
    return table === undefined ? nothing : { signalbox: `middleware.${table.replaceAll('""', '"')}` };
  },
};

/** Statements that are to have no events, with all that they do to whatever table. */
export const silentStatements: StatementMode = {
  kind: 'silent',
  comment: (statement) => (mayWrite(statement) ? silence : nothing),
};

/** Whether the current call is to write without events (see withoutCapture). */
export const isSilent = (): boolean => statementMode.getStore()?.kind === 'silent';

/**
 * For `new PrismaClient({ comments })` of a client that `withCapture` is to extend: writes into each statement what the
 * mode of its request says. A client without capture may have it too, and writes statements without a comment.
 */
export function markedComments(): StatementComments {
  return (statement) => statementMode.getStore()?.comment(statement) ?? nothing;
}
