/** What globalSetup.ts tells the tests through environment variables: jest's workers inherit nothing else. */
export const variables = {
  /** A superuser's (or at least a CREATEDB role's) URL. Set by hand, it makes the tests use that server. */
  databaseUrl: 'TEST_DATABASE_URL',
  /** Set when the server of `databaseUrl` is this run's own and goes with it. */
  ownDatabase: 'SIGNALBOX_TEST_OWN_DATABASE',
  /** Set by hand, it makes the tests use that cluster. */
  kafkaBrokers: 'KAFKA_BOOTSTRAP_SERVERS',
  /** Part of the name of every database that this run makes. */
  run: 'SIGNALBOX_TEST_RUN',
  /** A directory of this run's own, removed at its end. */
  directory: 'SIGNALBOX_TEST_DIRECTORY',
} as const;

/**
 * TEST_TIME_ZONE=America/New_York runs the suites on a server, role and databases that have this time zone by default.
 * Nothing may depend on it: the sessions of all programs are in UTC.
 */
export const testTimeZone: string | undefined = process.env['TEST_TIME_ZONE'] || undefined;

/** The variable's value; a test that runs without globalSetup gets told so. */
export function fromSetup(name: (typeof variables)[keyof typeof variables]): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  throw new Error(
    `${name} is not set: this test belongs to the "integration" or "e2e" project, which start servers.`,
  );
}
