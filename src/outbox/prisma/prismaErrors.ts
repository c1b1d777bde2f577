/*
 * Errors of Prisma's client, recognised by their name and never by `instanceof`: a program may hold several copies of the
 * client (as CommonJS and as a module, or in two versions), each with error classes of its own.
 */

/** What a PrismaClientKnownRequestError has, whichever copy of Prisma's client made it. */
export interface KnownRequestError extends Error {
  readonly code: string;
  readonly meta?: Readonly<Record<string, unknown>>;
}

export function isKnownRequestError(error: unknown): error is KnownRequestError {
  return error instanceof Error && error.name === 'PrismaClientKnownRequestError';
}

/** Whether Prisma refused the arguments of an operation, before it sent anything. */
export function isValidationError(error: unknown): error is Error {
  return error instanceof Error && error.name === 'PrismaClientValidationError';
}
