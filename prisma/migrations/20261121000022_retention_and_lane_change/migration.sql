-- Raising the number of lanes of a live system: "ops outbox lanes". docs/decisions/0007 says why the order is kept.

-- A power of two, so that each new lane takes its aggregates from exactly one old lane.
ALTER TABLE "signalbox"."lane" DROP CONSTRAINT "lane_number";
ALTER TABLE "signalbox"."lane" ADD CONSTRAINT "lane_number" CHECK ("lane" BETWEEN 0 AND 255);

-- A new lane stays closed until the lane that its aggregates come from has passed the last event of theirs there.
ALTER TABLE "signalbox"."lane"
    ADD COLUMN "opens_after_lane" smallint,
    ADD COLUMN "opens_after_position" bigint,
    ADD COLUMN "opens_after_xid" xid8,
    ADD CONSTRAINT "lane_opening" CHECK (
        num_nonnulls("opens_after_lane", "opens_after_position", "opens_after_xid") IN (0, 3)
    );

-- Events of one aggregate may be set aside in two lanes, so whoever looks for earlier ones does not know the lane.
DROP INDEX "signalbox"."parked_event_aggregate";
CREATE INDEX "parked_event_aggregate" ON "signalbox"."parked_event" ("aggregate_type", "aggregate_id", "position");

-- Deleted rows are a small share of a large table: their space is to be used again long before they are a fifth of it.
ALTER TABLE "signalbox"."outbox" SET (autovacuum_vacuum_scale_factor = 0.02);
