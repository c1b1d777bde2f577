import type { Client, Connection, QueryConfig, QueryResult } from 'pg';
import { SessionClient } from '../../../../shared/connections/sessionClient';
import type { Session as ConnectionSession } from '../../../../shared/connections/session';
import { cutContextComment } from './contextComment';
import { ContextQuery, type Done, type Session } from './contextQuery';
import { StatementNames } from './statementNames';

export interface PreparingOptions {
  /** How its connections are made. */
  readonly session: ConnectionSession;
  /** Most statements that are prepared. */
  readonly most?: number | undefined;
  /**
   * Called once, when a server has lost a prepared statement: something between it and this program gives out its
   * connections in turn. From then on statements are sent as they are.
   */
  readonly onLost: (error: Error) => void;
}

type Statement = QueryConfig & { readonly values: unknown[] };

/** The one of pg's overloads that holds for all of them. */
interface AnyClient {
  query(config: unknown, values?: unknown, done?: Done): unknown;
  getTransactionStatus(): ReturnType<Client['getTransactionStatus']>;
}
const BaseClient = SessionClient as unknown as new (session: ConnectionSession) => AnyClient;

/** The codes by which a server says that it does not know a statement, or knows another one by its name. */
const lost: ReadonlySet<unknown> = new Set(['26000', '42P05']);

/** A pg client for a pool that prepares the statements which come again and again, for all its connections alike. */
export function preparingClient({ session, most, onLost }: PreparingOptions): new () => Client {
  const names = new StatementNames(most);

  class PreparingClient extends BaseClient {
    readonly #session: Session = { setsContext: false };

    constructor() {
      super(session);
    }

    /** Prisma gives values in the statement, some versions (7.5) beside it too; any other call is served as pg does. */
    override query(config: unknown, values?: unknown, done?: Done): unknown {
      if (names.off || !isStatement(config) || (values !== undefined && values !== config.values))
        return super.query(config, values, done);
      if (done !== undefined) return this.#send(config, done);
      return new Promise<QueryResult>((resolve, reject) =>
        this.#send(config, (error, result) => (error ? reject(error) : resolve(result))),
      );
    }

    #send(statement: Statement, done: Done): void {
      const { text, context } = cutContextComment(statement.text);
      const name = context === undefined || this.#session.setsContext ? names.of(text) : undefined;
      if (context === undefined && name === undefined) return void super.query(statement, undefined, done);
      const config = { ...statement, text, ...(name !== undefined && { name }) };
      const finish: Done = (error, result) => {
        if (!error || !neverRun(error)) return done(error, result);
        if (lost.has(error.code)) {
          if (!names.off) onLost(error);
          names.turnOff();
        } else if (name !== undefined) names.forget(text, name);
        // In a transaction the error stands, for Postgres has aborted it. As it was written it cannot fail so again.
        if (this.getTransactionStatus() === 'I') super.query(statement, undefined, done);
        else done(error, result);
      };
      if (context === undefined) super.query(config, undefined, finish);
      else super.query(new ContextQuery(config, context, this.#session, finish));
    }
  }
  return PreparingClient as unknown as new () => Client;
}

/** Something with parameters that is not yet a query of its own making. */
function isStatement(config: unknown): config is Statement {
  const { text, values, submit } = config as Partial<Statement> & {
    submit?: (connection: Connection) => void;
  };
  return submit === undefined && typeof text === 'string' && Array.isArray(values) && values.length > 0;
}

/**
 * Whether the server failed to run a plan, rather than the statement itself failing: it has lost the plan, or the form
 * of the answer is another one since a column has changed its type.
 */
function neverRun(error: Error & { code?: unknown; routine?: unknown }): error is Error & { code: unknown } {
  return error.routine === 'RevalidateCachedQuery' || lost.has(error.code);
}
