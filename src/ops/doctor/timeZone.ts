import type { Pool } from 'pg';
import { fail, type Finding, ok, warn } from './finding';

const check = 'time zone';

/** As the role's and the database's settings have it; the role's in this database counts before both. */
const findDefault = `
  SELECT substr(setting, length('TimeZone=') + 1) AS zone
  FROM pg_db_role_setting s CROSS JOIN unnest(s.setconfig) AS setting
  WHERE setting ILIKE 'TimeZone=%'
    AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND s.setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
  ORDER BY s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1`;

/** Columns without a time zone whose default is the clock: other programs fill them with the time of their own zone. */
const findColumns = `
  SELECT format('%I.%I.%I', table_schema, table_name, column_name) AS name
  FROM information_schema.columns
  WHERE data_type = 'timestamp without time zone' AND column_default ~* 'now\\(\\)|current_timestamp|localtimestamp'
    AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`;

/** Whether our sessions are in UTC, and what the time zone that other programs have by default means for the data. */
export async function timeZone(pool: Pool): Promise<Finding[]> {
  const { rows } = await pool.query<{ zone: string }>(`SELECT current_setting('TimeZone') AS zone`);
  const zone = rows[0]?.zone ?? 'unknown';
  if (!isUtc(zone)) {
    return [
      fail(
        check,
        `the sessions of Signalbox are in ${zone} although they ask for UTC, so instants are stored and read shifted`,
        `Let the pooler pass TimeZone on, or set it for the role: ALTER ROLE … SET timezone = 'UTC'.`,
      ),
    ];
  }
  const { rows: defaults } = await pool.query<{ zone: string }>(findDefault);
  const byDefault = defaults[0]?.zone ?? 'UTC';
  if (isUtc(byDefault)) return [ok(check, 'sessions are in UTC')];
  const { rows: columns } = await pool.query<{ name: string }>(findColumns);
  if (columns.length === 0)
    return [ok(check, `sessions are in UTC; other programs have ${byDefault} by default`)];
  return [
    warn(
      check,
      `other programs have the time zone ${byDefault} by default, and what they insert gets their local time in ${columns.map(({ name }) => name).join(', ')}`,
      `Make these columns timestamptz, or set the default to UTC (ALTER DATABASE … SET timezone = 'UTC').`,
    ),
  ];
}

const isUtc = (zone: string): boolean => /^"?(etc\/)?(utc|uct|gmt|zulu|universal)"?$/i.test(zone);
