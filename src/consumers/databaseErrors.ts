import { UserError } from '../shared/lifecycle';

/*
 * How a lost database shows, found by cutting connections under Prisma 7.10 with adapter-pg: a refused connection is
 * P1001 from a model's operation and P2010 from a raw one; a killed one is P2010 with SQLSTATE 57P01 in mid-statement
 * and, between statements and at COMMIT, a plain Error out of pg without any code.
 */

const codes = new Set(['P1001', 'P1002', 'P1008', 'P1017', 'P2024', 'P2037', 'ERR_DATABASE_SESSION']);
const adapterKinds = new Set([
  'DatabaseNotReachable',
  'ConnectionClosed',
  'SocketTimeout',
  'TlsConnectionError',
  'TooManyConnections',
]);
/**
 * Connection exceptions, shutdown and recovery, too many connections, out of memory or disk, I/O errors, and after a
 * failover a server that takes no writes.
 */
const sqlStates = /^(08|53|58|57P0|25006)/;
const pgMessages =
  /^(Connection terminated|Client (has encountered a connection error|was closed)|timeout exceeded when trying|Query read timeout)/;

/** Whether an error says that the database cannot be used at the moment, whatever was asked of it. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && codes.has(code)) return true;
  const { kind, state } = driverCause(error);
  if (kind !== undefined && adapterKinds.has(kind)) return true;
  if (state !== undefined && sqlStates.test(state)) return true;
  return pgMessages.test(error.message);
}

/**
 * Why nothing could be done with the database before a handler ran: it is away, all connections of our pool are in
 * use, or it refuses what we ask of it, for want of a right or a table, say.
 */
export function infrastructureReason(error: unknown): string {
  if (error instanceof UserError) return error.message;
  if (isDatabaseAway(error) && !isPoolExhausted(error)) return 'the database is away';
  if (isPoolExhausted(error)) return 'no database connection was free in time: raise DATABASE_POOL_SIZE';
  const state = error instanceof Error ? driverCause(error).state : undefined;
  return state === undefined ? 'the database could not be used' : `the database refused (${state})`;
}

/** Prisma's wait for a transaction's connection, and the pool's own. */
function isPoolExhausted(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  return code === 'P2024' || code === 'P2028' || error.message.startsWith('timeout exceeded when trying');
}

/** Whether Postgres refused a statement because an earlier one of the same transaction had failed. */
export function isAbortedTransaction(error: unknown): boolean {
  return error instanceof Error && driverCause(error).state === '25P02';
}

/** The part of a Prisma error that the driver adapter filled in. */
function driverCause(error: Error): { kind?: string; state?: string } {
  const { meta, cause, code, severity } = error as {
    meta?: { driverAdapterError?: { cause?: unknown } };
    cause?: unknown;
    code?: unknown;
    severity?: unknown;
  };
  const found = (meta?.driverAdapterError?.cause ?? cause ?? {}) as Record<string, unknown>;
  const state = found['originalCode'] ?? (severity === undefined ? undefined : code);
  return {
    ...(typeof found['kind'] === 'string' ? { kind: found['kind'] } : {}),
    ...(typeof state === 'string' ? { state } : {}),
  };
}
