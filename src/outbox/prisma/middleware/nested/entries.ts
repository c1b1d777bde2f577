import type { Args } from '../selection';
import type { Link } from './links';

/*
 * Prisma's nested input in one form. Each operation in the data of a relation field becomes an entry that says which row
 * it names, what it may create, and what it may change.
 */

/** The data of rows, and where in the arguments it stands. */
export interface Data {
  readonly value: Args;
  readonly path: readonly string[];
  /** Where it stands, for people: `Patient.update, appointments.create`. */
  readonly trail: string;
  /** The entry whose data this is; undefined at the top. */
  readonly owner: Entry | undefined;
  /** Whether it is for a row that comes into being with it. */
  readonly fresh: boolean;
}

/** One operation on related rows. */
export interface Entry {
  readonly operation: string;
  readonly trail: string;
  /** The data in which it stands. */
  readonly within: Data;
  /** The unique filter that names one row, wherever that row is linked to; of `connect` and the like. */
  readonly names?: { readonly where: Args; readonly path: readonly string[] } | undefined;
  /** The data of the rows that it may create or change. */
  readonly data: readonly Data[];
  /** Whether it creates a row of all its data, or fails. */
  readonly inserts: boolean;
}

/** Entries that may bring rows into being. */
export const creating: ReadonlySet<string> = new Set(['create', 'createMany', 'connectOrCreate', 'upsert']);
/** Entries that may change, or remove, rows that are there. */
export const changing: ReadonlySet<string> = new Set([
  'update',
  'upsert',
  'updateMany',
  'delete',
  'deleteMany',
]);
/** Entries whose filter may find any number of the linked rows; `set` looks at all of them. */
export const sweeping: ReadonlySet<string> = new Set(['updateMany', 'deleteMany', 'set']);
/** Entries that may link a row elsewhere than it was. */
export const relinking: ReadonlySet<string> = new Set(['connect', 'connectOrCreate', 'disconnect', 'set']);
/** Entries that do no more than link rows that are there already, or no longer. */
export const linking: ReadonlySet<string> = new Set(['connect', 'disconnect', 'set']);

/** The entries that some data has for a relation field. */
export function entriesOf(link: Link, within: Data): Entry[] {
  const given = within.value[link.field];
  if (!isArgs(given)) return [];
  return Object.entries(given).flatMap(([operation, value]) => {
    const trail = `${within.trail}, ${link.field}.${operation}`;
    const bare: Entry = { operation, trail, within, data: [], inserts: false };
    if (operation === 'set' && Array.isArray(value) && value.length === 0) return [bare];
    return listed(value, [...within.path, link.field, operation]).flatMap(([each, path]) => {
      if (isArgs(each)) return [entryOf({ link, within, operation, trail }, each, path)];
      return each === true ? [bare] : [];
    });
  });
}

type Head = Pick<Entry, 'operation' | 'trail' | 'within'> & { readonly link: Link };

function entryOf({ link, ...head }: Head, value: Args, path: readonly string[]): Entry {
  const toMany = !link.holds && link.relation?.manyToOne !== false;
  const entry: Entry & { data: Data[] } = {
    ...head,
    names: namesOf(head.operation, value, path, toMany),
    data: [],
    inserts: head.operation === 'create' || (head.operation === 'createMany' && !value['skipDuplicates']),
  };
  const add = (data: unknown, at: readonly string[], fresh: boolean): void => {
    for (const [each, dataPath] of listed(data, at)) {
      if (isArgs(each))
        entry.data.push({ value: each, path: dataPath, trail: head.trail, owner: entry, fresh });
    }
  };
  switch (head.operation) {
    case 'create':
      add(value, path, true);
      break;
    case 'createMany':
      add(value['data'], [...path, 'data'], true);
      break;
    case 'connectOrCreate':
      add(value['create'], [...path, 'create'], true);
      break;
    case 'upsert':
      add(value['create'], [...path, 'create'], true);
      add(value['update'], [...path, 'update'], false);
      break;
    case 'updateMany':
      add(value['data'], [...path, 'data'], false);
      break;
    case 'update':
      if (toMany || isWrapped(value)) add(value['data'], [...path, 'data'], false);
      else add(value, path, false);
  }
  return entry;
}

function namesOf(operation: string, value: Args, path: readonly string[], toMany: boolean): Entry['names'] {
  const named = (where: unknown, at: readonly string[]): Entry['names'] =>
    isArgs(where) ? { where, path: at } : undefined;
  switch (operation) {
    case 'connect':
      return named(value, path);
    case 'connectOrCreate':
      return named(value['where'], [...path, 'where']);
    case 'delete':
    case 'disconnect':
    case 'set':
      return toMany ? named(value, path) : undefined;
    case 'update':
    case 'upsert':
      return toMany ? named(value['where'], [...path, 'where']) : undefined;
    default:
      return undefined;
  }
}

/** To one row, "update" takes the data itself, or an object with the data and maybe a filter. */
function isWrapped(value: Args): boolean {
  return isArgs(value['data']) && Object.keys(value).every((name) => name === 'data' || name === 'where');
}

/** The elements of a list, or the one thing that is none, each with its path. */
function listed(value: unknown, path: readonly string[]): [unknown, readonly string[]][] {
  if (!Array.isArray(value)) return [[value, path]];
  return value.map((each: unknown, nr) => [each, [...path, String(nr)]]);
}

export const isArgs = (value: unknown): value is Args =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same text for the same arguments. */
export const textOf = (value: unknown): string =>
  JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? `${each}n` : each));
