/*
 * Triggers on partitions. A statement-level trigger belongs to one table, and fires for statements that name it: what
 * is written through a partitioned table fires that table's triggers alone, and what names a partition fires the
 * partition's. So each partition gets the same triggers, and no write is captured twice. New partitions do not inherit
 * them, which is why the function stays in the database: what adds partitions calls it.
 */

/** Gives every partition, and every table that inherits, the capture triggers of the table above it. */
export const capturePartitions = `
-- Gives the partitions of captured tables, and tables that inherit from them, the triggers of the table above them.
-- To be called, as the owner of the tables, after partitions were added. A foreign table can have none of these triggers.
CREATE OR REPLACE FUNCTION signalbox.capture_partitions() RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  found record;
BEGIN
  FOR found IN
    WITH RECURSIVE wanted AS (
      SELECT t.oid AS trigger, t.tgrelid AS relid, false AS below
      FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
      WHERE NOT t.tgisinternal AND p.pronamespace = 'signalbox'::regnamespace
        AND p.proname ~ '^(capture|refuse_truncate)_'
      UNION
      SELECT trigger, inhrelid, true FROM wanted JOIN pg_inherits ON inhparent = relid
      JOIN pg_class ON pg_class.oid = inhrelid AND relkind IN ('r', 'p')
    )
    -- A partition below another one has the same triggers to get from both.
    SELECT DISTINCT format('CREATE TRIGGER %I %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION signalbox.%I()', t.tgname,
      CASE WHEN t.tgtype & 4 > 0 THEN 'AFTER INSERT' WHEN t.tgtype & 8 > 0 THEN 'AFTER DELETE'
        WHEN t.tgtype & 16 > 0 THEN 'AFTER UPDATE' ELSE 'BEFORE TRUNCATE' END,
      w.relid::regclass,
      CASE WHEN t.tgoldtable IS NOT NULL OR t.tgnewtable IS NOT NULL THEN concat_ws(' ', 'REFERENCING',
        'OLD TABLE AS ' || quote_ident(t.tgoldtable), 'NEW TABLE AS ' || quote_ident(t.tgnewtable)) END,
      p.proname) AS statement
    FROM wanted w JOIN pg_trigger t ON t.oid = w.trigger JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE w.below AND NOT EXISTS (SELECT FROM pg_trigger o WHERE o.tgrelid = w.relid AND o.tgname = t.tgname)
  LOOP
    EXECUTE found.statement;
  END LOOP;
END $function$;
`;

/** What a migration says after it has made the triggers. */
export const callCapturePartitions = 'SELECT signalbox.capture_partitions();';
