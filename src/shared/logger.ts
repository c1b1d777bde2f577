import pino, { type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** Fields that may hold a patient's data wherever they turn up in a logged object. */
const personal = [
  'name',
  'email',
  'phone',
  'date_of_birth',
  'dateOfBirth',
  'clinical_notes',
  'clinicalNotes',
  'reason_for_visit',
  'to',
  'subject',
  'text',
];
const secrets = ['password', 'authorization', 'cookie', 'DATABASE_URL', 'KAFKA_SASL_PASSWORD', 'SMTP_URL'];
/** Whole objects that hold rows, requests or events: log their ids instead. */
const containers = ['body', 'data', 'payload', 'value', 'row', 'args', 'parameters'];

const redacted = [...personal, ...secrets, ...containers].flatMap((name) => [
  name,
  `*.${name}`,
  `*.*.${name}`,
]);

/**
 * A JSON logger that hides what may be a patient's. Redaction is the second line of defence: the first is that
 * code logs ids, types and counts only.
 */
export function createLogger(
  options: { level: string; name: string },
  destination?: DestinationStream,
): Logger {
  return pino(
    {
      level: options.level,
      base: { program: options.name },
      redact: { paths: redacted, censor: '[redacted]' },
      serializers: { err: describeError },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ sync: true }),
  );
}

/** What a library logs with where its caller brings no logger: warnings and worse. */
export const defaultLogger = (): Logger => createLogger({ name: 'signalbox', level: 'warn' });

/**
 * What is logged of an error: its kind, its code and where it happened. Messages of database and validation
 * errors quote values, so they are left out.
 */
export function describeError(error: unknown): Record<string, unknown> {
  return describe(error, (of) => !quotesValues(of));
}

/** The same without any message: for errors of which nothing is known, whose text may quote anything. */
export function describeErrorWithoutMessage(error: unknown): Record<string, unknown> {
  return describe(error, () => false);
}

function describe(error: unknown, mayShow: (error: Error) => boolean): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = (error as { code?: unknown }).code;
  return {
    type: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    ...(mayShow(error) ? { message: error.message } : {}),
    stack: framesOf(error),
    ...(error.cause instanceof Error ? { cause: describe(error.cause, mayShow) } : {}),
  };
}

/** `    at name (file:line:column)`, `    at file:line:column`, `    at name (<anonymous>)` */
const frame = /^\s+at (?:.*\((?:.*:\d+:\d+|<anonymous>|native|index \d+)\)|.*:\d+:\d+)$/;

/**
 * The frames of an error's stack. The stack begins with the message as it was at first, which may have lines that look
 * like frames: it is cut off. Where it is not found, the message was changed, and its lines can't be told from frames.
 */
function framesOf({ stack, message }: Error): string | undefined {
  const start = stack?.indexOf(message) ?? -1;
  if (stack === undefined || start < 0) return undefined;
  return stack
    .slice(start + message.length)
    .split('\n')
    .filter((line) => frame.test(line))
    .slice(0, 12)
    .join('\n');
}

/** Prisma prints the failing call with its arguments; Postgres and zod quote the offending value. */
function quotesValues(error: Error): boolean {
  const code = (error as { code?: unknown }).code;
  const sqlState = typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code);
  return sqlState || /Prisma|DriverAdapter|DatabaseError|ZodError|SyntaxError/.test(error.name);
}
