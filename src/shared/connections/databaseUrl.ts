import { UserError } from '../lifecycle';
import { readTls, type Tls } from './tls';
import { readParameters, type UrlParameters } from './urlParameters';

/** A server. Without a host or port, those of PGHOST and PGPORT or pg's defaults are used. */
export interface Host {
  readonly host: string | undefined;
  readonly port: number | undefined;
}

/** What DATABASE_URL says. */
export interface DatabaseAddress {
  /** At least one; with several, the first that serves is used. */
  readonly hosts: readonly Host[];
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  /** Undefined leaves it to PGSSLMODE, which is off by default. */
  readonly tls: Tls | undefined;
  readonly parameters: UrlParameters;
}

/** DATABASE_URL cannot be used. Names every problem and quotes neither the password nor any value. */
export class DatabaseUrlError extends UserError {
  override readonly name = 'DatabaseUrlError';

  constructor(readonly problems: readonly string[]) {
    super(`DATABASE_URL can't be used: ${problems.join('; ')}.`);
  }
}

/** The last @ before the path ends the credentials, as in browsers. WHATWG's URL does not know lists of hosts. */
const form = /^postgres(?:ql)?:\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/i;

const expected =
  'expected postgresql://user:password@host:port/database; characters such as / ? # @ in the password are written percent-encoded';

/** Reads DATABASE_URL as Prisma and libpq write it. @throws DatabaseUrlError with all problems at once. */
export function parseDatabaseUrl(url: string): DatabaseAddress {
  const parts = form.exec(url);
  if (!parts) throw new DatabaseUrlError([expected]);
  const [, credentials = '', authority = '', database = '', query = ''] = parts;
  const read = readParameters(query);
  if ('problems' in read) throw new DatabaseUrlError(read.problems);
  const { parameters } = read;
  const colon = credentials.indexOf(':');
  const [user, password] =
    colon < 0 ? [credentials, ''] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
  return {
    hosts: readHosts(parameters.host ?? authority, parameters.port),
    user: decoded(user, 'user name'),
    password: decoded(password, 'password'),
    database: decoded(database, 'name of the database'),
    tls: readTls(parameters, (problem) => new DatabaseUrlError([problem])),
    parameters,
  };
}

/** The problems of a DATABASE_URL, one sentence each; empty when it can be used. */
export function databaseUrlProblems(url: string): readonly string[] {
  try {
    parseDatabaseUrl(url);
    return [];
  } catch (error) {
    if (error instanceof DatabaseUrlError) return error.problems;
    throw error;
  }
}

/** Servers and database for people to read: without user and password. */
export function describeDatabase(url: string): string {
  const { hosts, database } = parseDatabaseUrl(url);
  const servers = hosts.map(
    ({ host, port }) => `${host ?? 'localhost'}${port === undefined ? '' : `:${port}`}`,
  );
  return `${servers.join(',')}/${database ?? ''}`;
}

function readHosts(list: string, ports: string | undefined): Host[] {
  const given = ports?.split(',');
  return list.split(',').map((entry, index, all) => {
    const match = /^(?:\[([\da-f:.]+)\]|([^:[\]]*))(?::(\d*))?$/i.exec(entry);
    const host = decoded(match?.[1] ?? match?.[2] ?? '', 'host');
    if (!match || (host === undefined && all.length > 1))
      throw new DatabaseUrlError(['expected hosts as host:port, separated by commas']);
    return { host, port: readPort(given ? (given[index] ?? given[0]) : match[3]) };
  });
}

function readPort(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new DatabaseUrlError(['expected a port from 1 to 65535']);
}

function decoded(text: string, what: string): string | undefined {
  if (text === '') return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new DatabaseUrlError([
      `the ${what} has a % that begins no percent-encoded character: write %25 for it`,
    ]);
  }
}
