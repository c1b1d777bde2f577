import { z } from 'zod';

/*
 * The parameters of DATABASE_URL: those of Prisma, and those of libpq that Prisma users write beside them. Each one is
 * honoured or refused by name; a parameter that is read by nothing would be a wish that is ignored without a word.
 */

const flag = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'], error: 'expected true or false' });
const text = z.string().min(1, 'expected a value');
const whole = (unit: string) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `expected a whole number of ${unit}`)
    .transform(Number);
/** In the URL seconds, here milliseconds. */
const seconds = whole('seconds').transform((count) => count * 1_000);
const milliseconds = whole('milliseconds');

/** Set by us on every connection, see session.ts; another value in `options` would be overridden without a word. */
const pinnedSetting = /\b(timezone|datestyle|search_path)\b/i;

const shape = {
  schema: text.max(63, 'expected the name of a Postgres schema, at most 63 characters').optional(),
  pgbouncer: flag.default(false),
  connection_limit: whole('connections')
    .refine((count) => count >= 1 && count <= 500, 'expected 1 to 500 connections')
    .optional(),
  pool_timeout: seconds.optional(),
  connect_timeout: seconds.optional(),
  socket_timeout: seconds.optional(),
  max_connection_lifetime: seconds.optional(),
  max_idle_connection_lifetime: seconds.optional(),
  statement_cache_size: whole('statements').optional(),
  sslmode: z
    .enum(['disable', 'require', 'verify-ca', 'verify-full', 'no-verify'], {
      error:
        'expected disable, require, verify-ca, verify-full or no-verify; "prefer" and "allow" would go on without encryption',
    })
    .optional(),
  ssl: flag.optional(),
  sslaccept: z
    .enum(['strict', 'accept_invalid_certs'], { error: 'expected strict or accept_invalid_certs' })
    .optional(),
  sslcert: text.optional(),
  sslkey: text.optional(),
  sslrootcert: text.optional(),
  sslidentity: text.optional(),
  sslpassword: text.optional(),
  sslnegotiation: z.enum(['postgres', 'direct'], { error: 'expected postgres or direct' }).optional(),
  channel_binding: z
    .enum(['disable', 'prefer', 'require'], { error: 'expected disable, prefer or require' })
    .optional(),
  application_name: text.optional(),
  options: text
    .refine((given) => !pinnedSetting.test(given), {
      error:
        'must not set TimeZone or DateStyle, which Signalbox sets itself, nor search_path: use schema=… instead',
    })
    .optional(),
  target_session_attrs: z
    .enum(['any', 'read-write', 'primary'], {
      error: 'expected any, read-write or primary: Signalbox writes, so a standby is of no use to it',
    })
    .default('any'),
  statement_timeout: milliseconds.optional(),
  lock_timeout: milliseconds.optional(),
  idle_in_transaction_session_timeout: milliseconds.optional(),
  host: text.optional(),
  port: text.optional(),
};

const parameters = z.object(shape);

/** The parameters by their names in the URL; all times in milliseconds. */
export type UrlParameters = z.output<typeof parameters>;

/**
 * Reads the part of the URL that follows the question mark. A problem is one sentence that names the parameter and
 * never quotes its value, which may be a password.
 */
export function readParameters(query: string): { parameters: UrlParameters } | { problems: string[] } {
  const given = [...new URLSearchParams(query)];
  const names = given.map(([name]) => name);
  const problems = [
    ...names
      .filter((name) => !Object.hasOwn(shape, name))
      .map((name) => `the parameter "${name}" is not known; known are ${Object.keys(shape).join(', ')}`),
    ...names
      .filter((name, index) => names.indexOf(name) !== index)
      .map((name) => `the parameter "${name}" is given twice`),
  ];
  const result = parameters.safeParse(Object.fromEntries(given));
  if (!result.success) {
    problems.push(
      ...result.error.issues.map(({ path, message }) => `the parameter "${String(path[0])}": ${message}`),
    );
  } else {
    problems.push(...conflicts(result.data));
    if (problems.length === 0) return { parameters: result.data };
  }
  return { problems };
}

function conflicts({
  schema,
  pgbouncer,
  sslmode,
  sslrootcert,
  sslcert,
  options,
  ssl,
}: UrlParameters): string[] {
  return [
    ...(pgbouncer && schema !== undefined && schema !== 'public'
      ? [
          'the parameters "schema" and "pgbouncer" do not go together: a pooler cannot keep the search path that the schema needs',
        ]
      : []),
    ...(pgbouncer && options !== undefined
      ? ['the parameters "options" and "pgbouncer" do not go together: a pooler does not pass options on']
      : []),
    ...(sslmode === 'verify-ca' && sslrootcert === undefined && sslcert === undefined
      ? ['the parameter "sslmode": verify-ca needs sslrootcert, the authority to verify against']
      : []),
    ...(sslmode !== undefined && ssl !== undefined && ssl === (sslmode === 'disable')
      ? ['the parameters "ssl" and "sslmode" contradict each other']
      : []),
  ];
}
