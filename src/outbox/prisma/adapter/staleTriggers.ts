import { DriverAdapterError } from '@prisma/driver-adapter-utils';
import type { DatabaseError } from 'pg';

/*
 * A capture trigger names columns and the labels of enums. When one is renamed and the triggers are not generated anew,
 * each write fails with an error about a column that the statement itself does not have ("column n.name does not
 * exist"). Prisma drops the part of Postgres' error that says where it came from, so the remedy is named before that.
 */

/** Undefined column, invalid label of an enum, undefined object, undefined function, mismatched types. */
const stale: ReadonlySet<string | undefined> = new Set(['42703', '22P02', '42704', '42883', '42804']);
const inCapture = /PL\/pgSQL function signalbox\.capture_\w+\(\)/;

const remedy =
  'the capture trigger was generated for other columns or labels: run "npx signalbox sync" and "npx signalbox migrate"';

interface Queryable {
  onError?: (error: unknown) => never;
}

/** Lets what sends Prisma's statements name the remedy in the errors of capture triggers; returns the same object. */
export function explainStaleTriggers<T extends object>(queryable: T): T {
  const target = queryable as Queryable;
  const report = target.onError?.bind(target);
  if (!report) return queryable;
  target.onError = (error) => {
    throw isStale(error) ? explained(error) : report(error);
  };
  return queryable;
}

function isStale(error: unknown): error is DatabaseError {
  const { code, where } = error as Partial<DatabaseError>;
  return stale.has(code) && inCapture.test(where ?? '');
}

/** An error of its own kind: Prisma keeps the message of what it does not know, and of nothing else. */
function explained({ code = '', severity = 'ERROR', message, detail, column, hint }: DatabaseError): Error {
  const kind = 'postgres' as const;
  const text = `${message}; ${remedy}`;
  // Prisma 7.5 reads the original ones.
  const original = { originalCode: code, originalMessage: text };
  return new DriverAdapterError({ kind, code, severity, message: text, detail, column, hint, ...original });
}
