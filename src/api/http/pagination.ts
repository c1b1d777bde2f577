import { z } from 'zod';

/*
 * Pages by cursor: `WHERE id > last ORDER BY id LIMIT n`. Ids are UUIDs of version 7, which grow with the time of
 * creation, so that the order is stable and a page costs the same wherever it lies. The cursor is opaque to callers:
 * base64url of a version byte and the sixteen bytes of the id.
 */

const version = 1;
const cursorBytes = 17;

/** The query parameters of every list. */
export const pageQuery = {
  limit: z
    .string()
    .regex(/^\d{1,4}$/, 'must be a whole number from 1 to 100')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 100, { message: 'must be a whole number from 1 to 100' })
    .default(20)
    .meta({
      type: 'integer',
      minimum: 1,
      maximum: 100,
      default: 20,
      description: 'The most items to answer with',
    }),
  cursor: z
    .string()
    .transform((text, context) => {
      const id = decodeCursor(text);
      if (id !== undefined) return id;
      context.addIssue({ code: 'custom', message: 'must be the next_cursor of an earlier page' });
      return z.NEVER;
    })
    .optional()
    .meta({ type: 'string', description: 'The next_cursor of the page before; none for the first page' }),
};

export interface PageRequest {
  readonly limit: number;
  /** The id after which the page begins. */
  readonly cursor?: string | undefined;
}

/** A page of a list, as answered. `next_cursor` is null on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/**
 * What to give Prisma's `findMany` to read a page and one more row, which tells whether another page follows.
 * Not Prisma's own `cursor`: that answers nothing at all when the row it names has been deleted meanwhile.
 */
export function pageArguments<Where extends object>({ limit, cursor }: PageRequest, where: Where) {
  return {
    where: { ...where, ...(cursor === undefined ? {} : { id: { gt: cursor } }) },
    take: limit + 1,
    orderBy: { id: 'asc' },
  } as const;
}

/** Cuts the additional row off and points at the last row that is shown. */
export function toPage<Row extends { id: string }, T>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map(present), next_cursor: last ? encodeCursor(last.id) : null };
}

/** @param id a UUID */
export function encodeCursor(id: string): string {
  return Buffer.from([version, ...Buffer.from(id.replaceAll('-', ''), 'hex')]).toString('base64url');
}

/** The id that a cursor points at, or undefined when nobody was given such a cursor. */
export function decodeCursor(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  if (bytes.length !== cursorBytes || bytes[0] !== version) return undefined;
  // The decoder skips what it does not know; only its own spelling counts.
  if (bytes.toString('base64url') !== cursor) return undefined;
  return bytes.toString('hex', 1).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
