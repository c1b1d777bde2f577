import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  databaseUrlProblems,
  describeDatabase,
  parseDatabaseUrl,
} from '../../../src/shared/connections/databaseUrl';
import { sessionOf } from '../../../src/shared/connections/session';
import { loadConfig } from '../../../src/shared/config/load';
import { commonVariables } from '../../../src/shared/config/variables';

const base = 'postgresql://me:s3cret@db.example:5433/clinic';
const withQuery = (query: string) => parseDatabaseUrl(`${base}?${query}`);

describe('DATABASE_URL', () => {
  it('names server, user, password and database', () => {
    expect(parseDatabaseUrl(base)).toMatchObject({
      hosts: [{ host: 'db.example', port: 5433 }],
      user: 'me',
      password: 's3cret',
      database: 'clinic',
      tls: undefined,
      parameters: { pgbouncer: false, target_session_attrs: 'any' },
    });
  });

  it.each<[string, object]>([
    ['postgres://h/d', { hosts: [{ host: 'h' }], user: undefined, password: undefined, database: 'd' }],
    ['POSTGRESQL://h/d', { hosts: [{ host: 'h' }] }],
    ['postgresql://me:p%40ss%2F@h/d', { password: 'p@ss/' }],
    ['postgresql://me:p@ss:word@h/d', { user: 'me', password: 'p@ss:word' }],
    ['postgresql://me@[::1]:5432/d', { hosts: [{ host: '::1', port: 5432 }] }],
    ['postgresql://me@%2Fvar%2Frun/d', { hosts: [{ host: '/var/run' }] }],
    ['postgresql:///d?host=/var/run/postgresql', { hosts: [{ host: '/var/run/postgresql' }] }],
    ['postgresql://me@ignored:1/d?host=/run&port=5433', { hosts: [{ host: '/run', port: 5433 }] }],
    [
      'postgresql://a:1,b:2,c/d?target_session_attrs=read-write',
      {
        hosts: [
          { host: 'a', port: 1 },
          { host: 'b', port: 2 },
          { host: 'c', port: undefined },
        ],
      },
    ],
    [
      'postgresql:///d?host=a,b&port=7',
      {
        hosts: [
          { host: 'a', port: 7 },
          { host: 'b', port: 7 },
        ],
      },
    ],
    ['postgresql://h', { hosts: [{ host: 'h' }], database: undefined }],
  ])('%s is read', (url, expected) => {
    expect(parseDatabaseUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['mysql://h/d', 'expected postgresql://'],
    ['prisma+postgres://accelerate.prisma-data.net/?api_key=s3cret', 'expected postgresql://'],
    ['"postgresql://h/d"', 'expected postgresql://'],
    ['postgresql://me:s3c/ret@h/d', 'percent-encoded'],
    ['postgresql://me:s3cret%zz@h/d', 'the password has a %'],
    ['postgresql://me@h:99999/d', 'a port from 1 to 65535'],
    ['postgresql://me@h:s3cret/d', 'hosts as host:port'],
    ['postgresql://me@a,,b/d', 'hosts as host:port'],
    [`${base}?schema=`, 'the parameter "schema"'],
    [`${base}?schema=a&schema=b`, 'the parameter "schema" is given twice'],
    [`${base}?connection_limit=0`, 'the parameter "connection_limit"'],
    [`${base}?connection_limit=many`, 'the parameter "connection_limit"'],
    [`${base}?pool_timeout=-1`, 'the parameter "pool_timeout"'],
    [`${base}?connect_timeout=1.5`, 'the parameter "connect_timeout"'],
    [`${base}?pgbouncer=yes`, 'the parameter "pgbouncer"'],
    [`${base}?sslmode=prefer`, 'would go on without encryption'],
    [`${base}?sslmode=verify-ca`, 'verify-ca needs sslrootcert'],
    [`${base}?sslmode=disable&ssl=true`, 'contradict each other'],
    [`${base}?sslaccept=perhaps`, 'the parameter "sslaccept"'],
    [`${base}?sslcert=/nowhere/ca.pem`, "/nowhere/ca.pem can't be read (ENOENT)"],
    [`${base}?sslkey=/nowhere/key.pem`, '"sslkey" needs sslcert'],
    [`${base}?target_session_attrs=standby`, 'a standby is of no use'],
    [`${base}?options=-c%20TimeZone%3DEurope/Berlin`, 'must not set TimeZone'],
    [`${base}?options=-c%20search_path%3Dclinic`, 'use schema='],
    [`${base}?schema=clinic&pgbouncer=true`, '"schema" and "pgbouncer" do not go together'],
    [`${base}?options=-c%20work_mem%3D1MB&pgbouncer=true`, '"options" and "pgbouncer" do not go together'],
    [`${base}?single_use_connections=true`, 'the parameter "single_use_connections" is not known'],
    [`${base}?Schema=clinic`, 'the parameter "Schema" is not known'],
  ])('%s is refused by name, and keeps its secrets', (url, problem) => {
    const problems = databaseUrlProblems(url).join('; ');
    expect(problems).toContain(problem);
    expect(problems).not.toMatch(/s3c/);
    expect(() => loadConfig({ DATABASE_URL: commonVariables.DATABASE_URL }, { DATABASE_URL: url })).toThrow(
      /^The configuration has \d problems?:\n {2}DATABASE_URL: /,
    );
  });

  it('reports all unknown and wrong parameters at once', () => {
    expect(databaseUrlProblems(`${base}?foo=1&sslmode=x&bar=2`)).toEqual([
      expect.stringContaining('"foo" is not known'),
      expect.stringContaining('"bar" is not known'),
      expect.stringContaining('"sslmode"'),
    ]);
  });

  it('is shown to people without user and password', () => {
    expect(describeDatabase('postgresql://me:s3cret@a:1,b/d?sslpassword=s3cret')).toBe('a:1,b/d');
  });
});

describe('parameters of DATABASE_URL', () => {
  it('give times in seconds, or milliseconds where the server counts in them', () => {
    const session = sessionOf({
      databaseUrl: `${base}?connect_timeout=3&socket_timeout=7&statement_timeout=500&lock_timeout=40&idle_in_transaction_session_timeout=600`,
      applicationName: 'a',
      statementTimeoutMs: 900,
      connectTimeoutMs: 1,
    });
    expect(session.config).toMatchObject({ connectionTimeoutMillis: 3_000, query_timeout: 7_000 });
    expect(session.startup).toEqual({
      TimeZone: 'UTC',
      DateStyle: 'ISO, MDY',
      statement_timeout: '500',
      lock_timeout: '40',
      idle_in_transaction_session_timeout: '600',
    });
  });

  it('leave nothing to the session of a pooler but what it keeps: the client itself stops waiting', () => {
    const { config, startup } = sessionOf({
      databaseUrl: `${base}?pgbouncer=true`,
      applicationName: 'a',
      statementTimeoutMs: 900,
      idleInTransactionTimeoutMs: 100,
    });
    expect(startup).toEqual({ TimeZone: 'UTC', DateStyle: 'ISO, MDY' });
    expect(config.query_timeout).toBe(900);
  });

  it('set the search path to the schema, quoted', () => {
    const { startup } = sessionOf({ databaseUrl: `${base}?schema=cl%22inic`, applicationName: 'a' });
    expect(startup['search_path']).toBe('"cl""inic"');
  });

  it('keep the password out of whatever prints the configuration', () => {
    const session = sessionOf({ databaseUrl: base, applicationName: 'a' });
    expect(JSON.stringify(session)).not.toContain('s3cret');
  });
});

describe('encryption', () => {
  let directory: string;
  const file = (name: string): string => path.join(directory, name);

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'signalbox-tls-'));
    await Promise.all(
      ['ca.pem', 'client.pem', 'key.pem', 'id.p12'].map((name) => writeFile(file(name), name)),
    );
  });
  afterAll(() => rm(directory, { recursive: true }));

  it.each([
    ['sslmode=disable', false],
    ['sslmode=require', {}],
    ['ssl=true', {}],
    ['sslmode=no-verify', { rejectUnauthorized: false }],
    ['sslmode=require&sslaccept=accept_invalid_certs', { rejectUnauthorized: false }],
    ['sslaccept=strict', {}],
    ['sslmode=verify-full&sslrootcert=system', {}],
  ])('%s', (query, expected) => {
    expect(withQuery(query).tls).toEqual(expected);
  });

  it("takes Prisma's sslcert for the authority, and sslidentity for the client's certificate", () => {
    expect(withQuery(`sslcert=${file('ca.pem')}&sslidentity=${file('id.p12')}&sslpassword=pw`).tls).toEqual({
      ca: Buffer.from('ca.pem'),
      pfx: Buffer.from('id.p12'),
      passphrase: 'pw',
    });
  });

  it("takes libpq's sslcert with sslkey for the client's certificate", () => {
    expect(
      withQuery(
        `sslmode=verify-ca&sslrootcert=${file('ca.pem')}&sslcert=${file('client.pem')}&sslkey=${file('key.pem')}`,
      ).tls,
    ).toEqual({
      ca: Buffer.from('ca.pem'),
      cert: Buffer.from('client.pem'),
      key: Buffer.from('key.pem'),
      checkServerIdentity: expect.any(Function),
    });
  });
});
