-- The outbox: a log of domain events, written in the transaction of the change that they tell of.
--
-- It lives in a Postgres schema of its own, which Prisma does not manage, so that `prisma migrate dev` sees no
-- drift. Rows are inserted and never updated; what has been published is remembered in cursors (002_relay.sql).
-- src/outbox/log says why it is read as it is.
CREATE SCHEMA IF NOT EXISTS "signalbox";

-- Cache 1: two changes of one row must draw their positions in the order in which they held the row's lock.
CREATE SEQUENCE IF NOT EXISTS "signalbox"."outbox_position" AS bigint CACHE 1;

-- The lane of an aggregate. The number of lanes is a constant of this function; the row keeps its lane. Created once and
-- never replaced: "signalbox ops outbox lanes" raises the number.
DO $lane_of$ BEGIN
  IF to_regprocedure('signalbox.lane_of(text)') IS NULL THEN
    CREATE FUNCTION "signalbox"."lane_of"(aggregate_id text) RETURNS smallint
        LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
        RETURN (hashtextextended(aggregate_id, 0) & 15)::smallint;
  END IF;
END $lane_of$;

CREATE TABLE IF NOT EXISTS "signalbox"."outbox" (
    "lane" smallint NOT NULL,
    -- Before "position": defaults are evaluated in the order of the columns, and the reader relies on it that a
    -- transaction has its id before it draws a position (an explicit event may be its first write).
    "txid" xid8 NOT NULL DEFAULT pg_current_xact_id(),
    "position" bigint NOT NULL DEFAULT nextval('signalbox.outbox_position'),
    "event_id" uuid NOT NULL DEFAULT gen_random_uuid(),
    "event_type" text NOT NULL,
    "event_version" text NOT NULL,
    "aggregate_type" text NOT NULL,
    "aggregate_id" text NOT NULL,
    "occurred_at" timestamptz NOT NULL DEFAULT clock_timestamp(),
    "source" text NOT NULL,
    "correlation_id" text,
    "causation_id" text,
    "actor" text,
    "traceparent" text,
    -- json, not jsonb: what was written comes out letter for letter, every digit of every number.
    "data" json NOT NULL,

    -- The main range of a batch is read by lane and position.
    CONSTRAINT "outbox_pkey" PRIMARY KEY ("lane", "position")
);

-- The rows of transactions that were still running when the previous batch was opened. It begins with the transaction and
-- not with the lane, though a look-up names both: so new entries all belong at the index's end, where Postgres puts them
-- without a search from the root. In a log of 1.5 million rows that is most of what keeping this index costs a write.
CREATE INDEX IF NOT EXISTS "outbox_straggler" ON "signalbox"."outbox" ("txid", "lane", "position");

-- Appended to at the end only; a table of millions of rows must not wait for the default 20 % of dead rows. Deleted rows
-- are a small share of a large table, and their space is to be used again long before they are a fifth of it.
ALTER TABLE "signalbox"."outbox" SET (
    autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.02, fillfactor = 100
);

-- Few rows for each transaction, whatever a bulk load makes the statistics believe: the reader's look-ups by
-- transaction must never be planned as a scan of the lane.
ALTER TABLE "signalbox"."outbox" ALTER COLUMN "txid" SET (n_distinct = -0.5);
