import { Client, type Connection } from 'pg';
import { UserError } from '../lifecycle';
import type { Session } from './session';

/** What pg's Client has beside what its types say. */
type Connected = (error?: Error | null) => void;
interface ClientInternals {
  readonly connection: Connection & { readonly stream: { destroy(error?: Error): void } };
  getStartupConf(): Record<string, string>;
  connect(done?: Connected): Promise<unknown> | void;
}
const BaseClient = Client as unknown as new (config: Session['config']) => Client & ClientInternals;

/** The server, or one of its settings, takes no writes: read_only_sql_transaction. */
const readOnlyTransaction = '25006';

/** Emitted when the server has refused a write because it, or this session, is read-only. */
export const refusedWrite = 'refusedWrite';

/**
 * A connection to the server that its configuration names, in UTC whatever the database's and the role's settings are.
 *
 * An event "error" that has no listener ends the process. A pool listens to its idle connections, and Prisma's adapter
 * to those of its transactions; between the two, and during a single statement, none does. So this one always listens.
 * Whoever uses the connection finds out by a statement that fails.
 *
 * The server reports the settings that matter by itself, at the start and at each change, so that checking them costs
 * nothing.
 */
export class PinnedClient extends BaseClient {
  readonly #reported = new Map<string, string>();
  #refusedWrite = false;

  constructor(protected readonly session: Session) {
    super(session.config);
    this.on('error', () => undefined);
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      this.#reported.set(parameterName, parameterValue);
    });
    this.connection.on('errorMessage', ({ code }: { code?: string }) => {
      if (code !== readOnlyTransaction || this.#refusedWrite) return;
      this.#refusedWrite = true;
      this.emit(refusedWrite);
    });
    if (session.channelBinding === 'require') requireChannelBinding(this.connection);
  }

  /** Why the connection must not be used again; undefined when it may. */
  get unfit(): string | undefined {
    if (this.#refusedWrite) return 'its server takes no writes';
    const zone = this.#reported.get('TimeZone');
    if (zone !== undefined && !utc.test(zone)) return `its time zone is ${zone}`;
    const style = this.#reported.get('DateStyle');
    if (style !== undefined && !style.startsWith('ISO')) return `its DateStyle is ${style}`;
    return undefined;
  }

  override getStartupConf(): Record<string, string> {
    return { ...super.getStartupConf(), ...this.session.startup };
  }

  override connect(): Promise<Client>;
  override connect(done: Connected): void;
  override connect(done?: Connected): Promise<Client> | void {
    if (done) return this.open(done);
    return new Promise((resolve, reject) => this.open((error) => (error ? reject(error) : resolve(this))));
  }

  protected open(done: Connected): void {
    super.connect((error?: Error | null) => {
      if (error) return done(explained(error));
      const { unfit } = this;
      if (unfit === undefined) return done();
      this.end(() => undefined);
      done(unpinned(unfit));
    });
  }
}

/** Postgres reports the name as it was given. */
const utc = /^(etc\/)?(utc|uct|gmt|zulu|universal|greenwich)$/i;

/** A server or pooler lets us in, but not with the session that we need. Only an operator can help. */
export class SessionRefusedError extends UserError {
  override readonly name = 'SessionRefusedError';
  readonly code = 'ERR_DATABASE_SESSION';
}

function unpinned(unfit: string): SessionRefusedError {
  return new SessionRefusedError(
    `The database connection can't be used: ${unfit} although UTC and ISO were asked for, so a pooler between us and Postgres has dropped what we asked for. ` +
      `Set it for the role: ALTER ROLE … SET timezone = 'UTC'; ALTER ROLE … SET datestyle = 'ISO, MDY'.`,
  );
}

/** PgBouncer refuses settings that it cannot keep for a session. */
function explained(error: Error): Error {
  const [, name = ''] = /^unsupported startup parameter(?: in options)?: (\w+)/.exec(error.message) ?? [];
  if (name === '') return error;
  const remedy = ['search_path', 'options'].includes(name)
    ? `Remove ${name === 'options' ? 'options' : 'schema'} from DATABASE_URL, or use the address of the server itself.`
    : `Add pgbouncer=true to DATABASE_URL, and set it for the role if you need it (ALTER ROLE … SET ${name} = …).`;
  return new SessionRefusedError(
    `The pooler in front of the database does not take the setting "${name}". ${remedy}`,
    { cause: error },
  );
}

/** Ends the connection before a password is sent by a way that does not prove the server's identity. */
function requireChannelBinding(connection: ClientInternals['connection']): void {
  let bound = false;
  const refuse = (): void => {
    connection.stream.destroy(
      new Error('The server offers no channel binding, which channel_binding=require wants'),
    );
  };
  connection.on('authenticationSASL', ({ mechanisms }: { mechanisms: readonly string[] }) => {
    bound = mechanisms.includes('SCRAM-SHA-256-PLUS');
    if (!bound) refuse();
  });
  connection.on('authenticationCleartextPassword', refuse);
  connection.on('authenticationMD5Password', refuse);
  connection.on('authenticationOk', () => {
    if (!bound) refuse();
  });
}
