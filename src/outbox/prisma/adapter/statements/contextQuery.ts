import { type Connection, Query, type QueryConfig, type QueryResult } from 'pg';

/**
 * The setting in which a context travels beside its statement, until the end of the transaction. Triggers read it with
 * current_setting(); setting it needs no right.
 */
export const contextSetting = 'signalbox.context';

/** Sets it. Without a row in the answer, nobody need tell it from the rows of the statement. */
const setContext = {
  name: 'signalbox_context',
  text: `SELECT WHERE set_config('${contextSetting}', $1, true) IS NULL`,
};

/** What a connection has been taught. */
export interface Session {
  /** Whether it knows the statement that sets the context. */
  setsContext: boolean;
}

export type Done = (error: Error | undefined, result: QueryResult) => void;

/** What pg's Query and Connection have beside what their types say. */
interface QueryInternals {
  submit(connection: Connection): Error | null;
  handleCommandComplete(message: unknown, connection: Connection): void;
}
interface Messages {
  readonly stream: Connection['stream'];
  parse(statement: { readonly name: string; readonly text: string }): void;
  bind(portal: { readonly statement: string; readonly values: readonly string[] }): void;
  execute(portal: object): void;
}
const BaseQuery = Query as unknown as new (
  config: QueryConfig,
  values: undefined,
  done: Done,
) => QueryInternals;

/**
 * A statement whose context goes before it as a setting, in the same message to the server and in the same transaction,
 * be it the one that the statement makes of itself. So its text is the same in whosever name it comes, and can be
 * prepared. The statement must have parameters: others travel by another protocol. The first one of a session must have
 * no name, for pg would take the answer about the setting's statement for one about the named one.
 */
export class ContextQuery extends BaseQuery {
  #isSet = false;

  constructor(
    config: QueryConfig,
    private readonly context: string,
    private readonly session: Session,
    done: Done,
  ) {
    super(config, undefined, done);
  }

  override submit(connection: Connection): Error | null {
    const messages = connection as unknown as Messages;
    messages.stream.cork();
    try {
      if (!this.session.setsContext) messages.parse(setContext);
      messages.bind({ statement: setContext.name, values: [this.context] });
      messages.execute({});
      return super.submit(connection);
    } finally {
      messages.stream.uncork();
    }
  }

  /** The first statement that completes is the setting's, of which nobody shall hear. */
  override handleCommandComplete(message: unknown, connection: Connection): void {
    if (this.#isSet) return super.handleCommandComplete(message, connection);
    this.#isSet = true;
    this.session.setsContext = true;
  }
}
