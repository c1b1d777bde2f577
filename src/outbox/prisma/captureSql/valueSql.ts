import { carriable } from '../../../events/fields';
import { literal } from './quote';

/*
 * SQL functions that write a column's value as the catalogue promises for its kind, or refuse it: an event with a value
 * that consumers refuse would be a dead letter everywhere. `field` is the name that the error says; the value itself is
 * in no error, for it may be a patient's.
 *
 * Overloads let the column's own type decide, so that the generator need not know it. Each is one expression, which the
 * planner puts in place of the call.
 */

const instantFormat = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
const declared = 'LANGUAGE sql STABLE PARALLEL SAFE';

/** The end of a CASE: anything but null is refused. */
const orRefuse = (kind: 'datetime' | 'decimal' | 'uuid'): string =>
  `WHEN value IS NOT NULL THEN signalbox.refuse_value(field, ${literal(carriable[kind])})`;

/** `given` is the value as a timestamp or timestamptz; the bounds take its type. */
const instant = (type: string, given: string, utc: string, offset: string): string =>
  `CREATE OR REPLACE FUNCTION signalbox.instant_of(value ${type}, field text) RETURNS text ${declared}
  RETURN CASE WHEN ${given} >= '0001-01-01 00:00:00${offset}' AND ${given} < '10000-01-01 00:00:00${offset}'
    THEN to_char(${utc}, ${instantFormat}) ${orRefuse('datetime')} END;`;

/** Creates or replaces them. */
export const valueHelpers = `
-- Ends the statement: the value that a field holds can't be in an event.
CREATE OR REPLACE FUNCTION signalbox.refuse_value(field text, carriable text) RETURNS text
  LANGUAGE plpgsql STABLE PARALLEL SAFE AS $function$
BEGIN
  RAISE EXCEPTION 'The field "%" holds a value that no event can carry: events carry %', field, carriable
    USING ERRCODE = 'invalid_parameter_value', HINT = 'Write another value.';
END $function$;

-- A list without elements where there is none, as Prisma reads it. Elements that are null, and lists of lists, are
-- refused: Prisma knows neither.
CREATE OR REPLACE FUNCTION signalbox.list_of(value anyarray, field text) RETURNS anyarray
  LANGUAGE plpgsql STABLE PARALLEL SAFE AS $function$
BEGIN
  IF array_ndims(value) > 1 OR EXISTS (SELECT FROM unnest(value) AS e(value) WHERE e.value IS NULL) THEN
    PERFORM signalbox.refuse_value(field, 'plain lists without nulls');
  END IF;
  RETURN coalesce(value, '{}');
END $function$;

-- An instant as ISO 8601 in UTC with milliseconds. A timestamp without time zone holds UTC, as Prisma writes it.
${instant('timestamptz', 'value', `value AT TIME ZONE 'UTC'`, '+00')}
${instant('timestamp', 'value', 'value', '')}
${instant('date', 'value::timestamp', 'value::timestamp', '')}
-- A time of day as Prisma reads it: on the first day of 1970, without the offset that a timetz has.
CREATE OR REPLACE FUNCTION signalbox.instant_of(value time, field text) RETURNS text ${declared}
  RETURN signalbox.instant_of('1970-01-01'::date + value, field);
CREATE OR REPLACE FUNCTION signalbox.instant_of(value timetz, field text) RETURNS text ${declared}
  RETURN signalbox.instant_of('1970-01-01'::date + value::time, field);
DROP FUNCTION IF EXISTS signalbox.instant_of(timestamptz), signalbox.instant_of(timestamp), signalbox.instant_of(date);

-- Without trailing zeros, as decimal.js writes it.
CREATE OR REPLACE FUNCTION signalbox.decimal_of(value numeric, field text) RETURNS text ${declared}
  RETURN CASE WHEN value NOT IN ('NaN', 'Infinity', '-Infinity') THEN trim_scale(value)::text
    ${orRefuse('decimal')} END;

CREATE OR REPLACE FUNCTION signalbox.decimal_of(value money, field text) RETURNS text ${declared}
  RETURN signalbox.decimal_of(value::numeric, field);

-- As JSON.stringify writes it: null for what is not a number, no minus before zero, an exponent only below 1e-6 and
-- from 1e21 on, and none with a leading zero. The text of a float has its shortest exact digits, its numeric has not.
CREATE OR REPLACE FUNCTION signalbox.number_of(value float8, field text) RETURNS json ${declared}
  RETURN CASE WHEN value = 0 THEN '0' WHEN value IN ('NaN', 'Infinity', '-Infinity') THEN NULL
    WHEN abs(value) >= 1e-6 AND abs(value) < 1e21 THEN value::text::numeric::text
    ELSE replace(value::text, 'e-0', 'e-') END::json;
CREATE OR REPLACE FUNCTION signalbox.number_of(value float4, field text) RETURNS json ${declared}
  RETURN signalbox.number_of(value::text::float8, field);

-- A UUID may be in a column of type text.
CREATE OR REPLACE FUNCTION signalbox.uuid_of(value uuid, field text) RETURNS uuid ${declared} RETURN value;
CREATE OR REPLACE FUNCTION signalbox.uuid_of(value text, field text) RETURNS text ${declared}
  RETURN CASE WHEN value ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' THEN value ${orRefuse('uuid')} END;

-- A column of type json may hold escapes that stand for no text; jsonb, as which the audit log stores events, refuses them.
CREATE OR REPLACE FUNCTION signalbox.json_of(value jsonb, field text) RETURNS jsonb ${declared} RETURN value;
CREATE OR REPLACE FUNCTION signalbox.json_of(value json, field text) RETURNS json ${declared}
  RETURN CASE WHEN strpos(value::text, chr(92) || 'u') = 0 OR value::jsonb IS NOT NULL THEN value END;
`;
