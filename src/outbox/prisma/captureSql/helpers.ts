import { capturePartitions } from './partitions';
import { valueHelpers } from './valueSql';

/*
 * SQL functions that all capture functions share. Small ones are SQL functions of one expression, which the planner
 * puts in place of their call; overloads let the column's own type decide, so that the generator need not know it.
 */

const differences = `
-- Whether two values of a column differ as Prisma's client sees them: text letter by letter, whatever its collation;
-- instants by the millisecond; JSON's null like no value at all; json and xml, which have no "=", by their text.
CREATE OR REPLACE FUNCTION signalbox.differs(a anyelement, b anyelement) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE AS 'SELECT $1 IS DISTINCT FROM $2';
CREATE OR REPLACE FUNCTION signalbox.differs(a text, b text) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN a COLLATE "C" IS DISTINCT FROM b COLLATE "C";
CREATE OR REPLACE FUNCTION signalbox.differs(a json, b json) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(a::text, 'null') IS DISTINCT FROM nullif(b::text, 'null');
CREATE OR REPLACE FUNCTION signalbox.differs(a jsonb, b jsonb) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN nullif(a, 'null') IS DISTINCT FROM nullif(b, 'null');
CREATE OR REPLACE FUNCTION signalbox.differs(a json[], b json[]) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN a::text IS DISTINCT FROM b::text;
CREATE OR REPLACE FUNCTION signalbox.differs(a date, b date) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN a IS DISTINCT FROM b;
CREATE OR REPLACE FUNCTION signalbox.differs(a xml, b xml) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
  RETURN a::text IS DISTINCT FROM b::text;
CREATE OR REPLACE FUNCTION signalbox.differs(a timestamptz, b timestamptz) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN date_trunc('milliseconds', a) IS DISTINCT FROM date_trunc('milliseconds', b);
CREATE OR REPLACE FUNCTION signalbox.differs(a timestamp, b timestamp) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN date_trunc('milliseconds', a) IS DISTINCT FROM date_trunc('milliseconds', b);
CREATE OR REPLACE FUNCTION signalbox.differs(a time, b time) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN date_trunc('milliseconds', a::interval) IS DISTINCT FROM date_trunc('milliseconds', b::interval);
CREATE OR REPLACE FUNCTION signalbox.differs(a timetz, b timetz) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN signalbox.differs(a::time, b::time);
`;

/** See ../contextComments.ts for who writes the comment. */
const context = `
-- Undoes percent-encoding. What is not validly encoded text is null: never an error.
CREATE OR REPLACE FUNCTION signalbox.percent_decoded(encoded text) RETURNS text
  LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $function$
DECLARE
  -- Common enough to be spared the long way. An escape never begins inside another, so nothing is decoded twice.
  short text := replace(encoded, '%2F', '/');
BEGIN
  IF strpos(short, '%') = 0 THEN RETURN short; END IF;
  IF short ~ '%(?![0-9A-Fa-f]{2})' THEN RETURN NULL; END IF;
  BEGIN
    RETURN convert_from(string_agg(
      CASE WHEN starts_with(piece[1], '%') THEN decode(replace(piece[1], '%', ''), 'hex')
           ELSE convert_to(piece[1], 'UTF8') END, ''::bytea ORDER BY nr), 'UTF8')
      FROM regexp_matches(short, '(?:%[0-9A-Fa-f]{2})+|[^%]+', 'g') WITH ORDINALITY AS pieces(piece, nr);
  EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
  END;
END $function$;

-- What the comment at the end of a statement says: {mark, actor, -, causation id, -, correlation id, -, source, -,
-- traceparent, -}, so that each value stands where the pieces of a stamped comment have it (contextSql.ts).
-- The comment has sqlcommenter's form, /*key='value',key='value'*/. Any other end of the statement says nothing.
-- It is cut at the quotes, so that each value stands behind its key. That takes few expressions, of which each has to
-- be prepared anew in every transaction; a regular expression over the statement takes twenty times as long.
CREATE OR REPLACE FUNCTION signalbox.statement_context(statement text) RETURNS text[]
  LANGUAGE plpgsql STABLE PARALLEL SAFE AS $function$
DECLARE
  ending text;
  parts text[];
  context text[];
BEGIN
  IF right(statement, 3) = '''*/' THEN
    -- sqlcommenter escapes a quote by a backslash. A colon is so common in names ("user:42") that it is decoded here.
    ending := replace(replace(right(statement, 4000), chr(92) || '''', '%27'), '%3A', ':');
    parts := string_to_array(',' || split_part(ending, '/*', -1), '''');
    IF parts[cardinality(parts)] = '*/' AND strpos(ending, '/*') > 0 THEN
      context := array_replace(ARRAY[
        parts[array_position(parts, ',signalbox=') + 1],
        parts[array_position(parts, ',actor=') + 1], NULL,
        parts[array_position(parts, ',causation_id=') + 1], NULL,
        parts[array_position(parts, ',correlation_id=') + 1], NULL,
        parts[array_position(parts, ',source=') + 1], NULL,
        parts[array_position(parts, ',traceparent=') + 1], NULL], '', NULL);
      IF strpos(ending, '%') > 0 THEN
        context := ARRAY[signalbox.percent_decoded(context[1]), signalbox.percent_decoded(context[2]), NULL,
          signalbox.percent_decoded(context[4]), NULL, signalbox.percent_decoded(context[6]), NULL,
          signalbox.percent_decoded(context[8]), NULL, signalbox.percent_decoded(context[10]), NULL];
      END IF;
    END IF;
  ELSIF right(statement, 1) IN (';', ' ', chr(10)) THEN
    -- People end their statements with a semicolon.
    RETURN signalbox.statement_context(rtrim(right(statement, 4000), '; ' || chr(9) || chr(10) || chr(13)));
  END IF;
  IF context[8] IS NULL THEN
    -- Who writes without saying so is known by the name of its connection.
    context := ARRAY[context[1], context[2], NULL, context[4], NULL, context[6], NULL,
      coalesce(nullif(current_setting('application_name'), ''), 'database'), NULL, context[10], NULL];
  END IF;
  RETURN context;
END $function$;
`;

/** Creates or replaces the shared functions. */
export const helpers = [valueHelpers, differences, context, capturePartitions]
  .map((sql) => sql.trim())
  .join('\n\n');

/** The names of the shared functions, some of which have overloads. */
export const helperNames: readonly string[] = [
  ...new Set([...helpers.matchAll(/FUNCTION signalbox\.(\w+)\(/g)].map(([, name = '']) => name)),
];
