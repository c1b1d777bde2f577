import { PrismaClientKnownRequestError } from '@prisma/client/runtime/client';
import { isKnownRequestError } from '../prismaErrors';

/*
 * Errors of the statements that capture adds, told as Prisma tells those of its own: callers look for P2034 after a
 * deadlock, and must not have to know that it was a lock of ours, or the commit of an implicit transaction, that met it.
 * Codes and wording follow Prisma's own table (client-engine-runtime, user-facing-error.ts, 7.10).
 */

/** What an error says of the operation that met it. */
export interface FailedOperation {
  readonly modelName: string;
  /** Prisma's. */
  readonly clientVersion: string;
}

interface Cause {
  readonly kind?: string;
  readonly originalCode?: string;
  readonly originalMessage?: string;
  readonly constraint?: { readonly index?: string; readonly fields?: readonly string[] };
}

const conflict: [code: string, message: string] = [
  'P2034',
  'Transaction failed due to a write conflict or a deadlock. Please retry your transaction',
];

const known: Readonly<Record<string, (cause: Cause) => [code: string, message: string]>> = {
  TransactionWriteConflict: () => conflict,
  UniqueConstraintViolation: (cause) => ['P2002', `Unique constraint failed on the ${constraint(cause)}`],
  ForeignKeyConstraintViolation: (cause) => [
    'P2003',
    `Foreign key constraint violated on the ${constraint(cause)}`,
  ],
  RestrictViolation: (cause) => ['P2003', `Foreign key constraint violated on the ${constraint(cause)}`],
  ConnectionClosed: () => ['P1017', 'Server has closed the connection.'],
  SocketTimeout: () => ['P1008', 'Operation has timed out'],
  postgres: ({ originalCode, originalMessage }) => [
    'P2039',
    `Database error. Code: \`${originalCode ?? 'N/A'}\`. Message: \`${originalMessage ?? 'N/A'}\``,
  ],
};

/** The error as Prisma would have told it had the model's own statement met it; any other error as it is. */
export function asModelError(error: unknown, operation: FailedOperation): unknown {
  const adapterError = adapterErrorOf(error);
  const cause = adapterError?.cause as Cause | undefined;
  const told = known[cause?.kind ?? ''];
  if (!cause || !told) return error;
  return knownError(told(cause), operation, adapterError);
}

/** What Prisma says when a transaction met what another has done since its snapshot. */
export function writeConflict(operation: FailedOperation): Error {
  return knownError(conflict, operation);
}

function knownError(
  [code, message]: [string, string],
  { modelName, clientVersion }: FailedOperation,
  driverAdapterError?: Error,
): Error {
  const meta = { modelName, ...(driverAdapterError ? { driverAdapterError } : {}) };
  return new PrismaClientKnownRequestError(message, { code, clientVersion, meta });
}

/** Whether the database itself refused, so that its transaction can do nothing but roll back. */
export function isDatabaseError(error: unknown): boolean {
  return adapterErrorOf(error) !== undefined;
}

function adapterErrorOf(error: unknown): (Error & { cause?: unknown }) | undefined {
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'DriverAdapterError') return error;
  const nested = isKnownRequestError(error) ? error.meta?.['driverAdapterError'] : undefined;
  return nested instanceof Error ? nested : undefined;
}

function constraint({ constraint: found }: Cause): string {
  if (found?.fields) return `fields: (${found.fields.map((field) => `\`${field}\``).join(', ')})`;
  return found?.index === undefined ? '(not available)' : `constraint: \`${found.index}\``;
}
