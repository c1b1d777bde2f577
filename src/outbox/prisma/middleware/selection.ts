import type { CapturedModel } from './model';

/*
 * Callers choose what a write returns, capture needs the whole image. So the selection is widened when the request is
 * sent and the result narrowed when it comes back, before extensions and the caller see it.
 */

export type Args = Readonly<Record<string, unknown>>;

export interface Widened {
  readonly args: Args;
  /** The result as the caller asked for it. */
  readonly narrow: (row: Record<string, unknown>) => Record<string, unknown>;
}

const isObject = (value: unknown): value is Args => typeof value === 'object' && value !== null;

/** Adds the fields of an image to what a request returns. */
export function widen(model: CapturedModel, args: Args): Widened {
  const { select, omit } = args;
  if (isObject(select))
    return isObject(omit) || !selectsAny(select) ? asIs(args) : widenSelect(model, args, select);
  const omitted = isObject(omit) ? omit : {};
  const isOmitted = (field: string): boolean => Boolean(omitted[field] ?? model.hidden.has(field));
  const missing = model.fields.filter(isOmitted);
  if (missing.length === 0) return asIs(args);
  const back = Object.fromEntries(missing.map((field) => [field, false]));
  return { args: { ...args, omit: { ...omitted, ...back } }, narrow: (row) => veil(row, missing) };
}

function widenSelect(model: CapturedModel, args: Args, select: Args): Widened {
  const missing = model.fields.filter((field) => select[field] !== true);
  if (missing.length === 0) return asIs(args);
  const added = Object.fromEntries(missing.map((field) => [field, true]));
  const computes = Object.keys(select).some((field) => !model.allFields.has(field) && field !== '_count');
  return {
    args: { ...args, select: { ...select, ...added } },
    narrow: (row) => (computes ? veil(row, missing) : strip(row, missing)),
  };
}

/** Whether a request reads relations, which Prisma does in statements of their own. */
export function readsRelations(model: CapturedModel, { select, include }: Args): boolean {
  const named = { ...(isObject(select) ? select : {}), ...(isObject(include) ? include : {}) };
  return Object.keys(named).some(
    (field) => Boolean(named[field]) && (field === '_count' || model.relationFields.has(field)),
  );
}

const asIs = (args: Args): Widened => ({ args, narrow: (row) => row });

/** Prisma refuses an empty selection, and must still. */
const selectsAny = (select: Args): boolean => Object.values(select).some(Boolean);

function strip(row: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const hidden = new Set(fields);
  return Object.fromEntries(Object.entries(row).filter(([field]) => !hidden.has(field)));
}

/**
 * Keeps the fields, but out of sight: a computed field of somebody's result extension may need them, and which ones it
 * needs is known to Prisma alone.
 */
function veil(row: Record<string, unknown>, fields: readonly string[]): Record<string, unknown> {
  const veiled = strip(row, fields);
  for (const field of fields) {
    Object.defineProperty(veiled, field, {
      value: row[field],
      enumerable: false,
      configurable: true,
      writable: true,
    });
  }
  return veiled;
}

/** Follows a fluent call (`prisma.appointment.update(…).patient()`) into the result, as Prisma does. */
export function follow(result: unknown, dataPath: readonly string[]): unknown {
  let found = result;
  for (const [index, step] of dataPath.entries()) {
    if (index % 2 === 1 && found) found = (found as Record<string, unknown>)[step];
  }
  return found;
}
