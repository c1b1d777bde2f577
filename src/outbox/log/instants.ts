import { type CustomTypesConfig, types } from 'pg';

const timestamptz: number = types.builtins.TIMESTAMPTZ;
const parserOf = types.getTypeParser as (oid: number, format?: string) => (text: string) => unknown;
const parseSlowly = parserOf(timestamptz) as (text: string) => Date;
const blank = 0x20;

/**
 * Reads a timestamptz as pg does, only faster where the session's time zone is UTC and the year has four digits: pg
 * takes every text apart with a regular expression, which for a page of rows is a tenth of the work of reading it.
 */
export function parseInstant(text: string): Date {
  const usual = text.endsWith('+00') && text.charCodeAt(10) === blank;
  return usual ? new Date(`${text.slice(0, 10)}T${text.slice(11, -3)}Z`) : parseSlowly(text);
}

/** Type parsers for a query that returns many instants. */
export const fastInstants = {
  getTypeParser: (oid: number, format?: string) =>
    oid === timestamptz && format !== 'binary' ? parseInstant : parserOf(oid, format),
} as CustomTypesConfig;
