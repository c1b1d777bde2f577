-- What has been published of the outbox, and who publishes it. src/outbox/log/cursor.ts says why it is right.

-- The cluster whose transaction ids the cursors hold. They mean nothing in another one: after a restore from a dump
-- the relay refuses to run until the cursors have been rebuilt.
CREATE TABLE IF NOT EXISTS "signalbox"."cluster" (
    "only" boolean NOT NULL DEFAULT true,
    "system_identifier" bigint NOT NULL,

    CONSTRAINT "cluster_pkey" PRIMARY KEY ("only"),
    CONSTRAINT "cluster_one_row" CHECK ("only")
);

INSERT INTO "signalbox"."cluster" ("system_identifier") SELECT "system_identifier" FROM pg_control_system()
    ON CONFLICT DO NOTHING;

-- The relays that are alive. A relay's row is the lease on all of its lanes: one update renews them all, however
-- many lanes there are and however long a batch takes.
CREATE TABLE IF NOT EXISTS "signalbox"."relay" (
    "id" uuid NOT NULL,
    "instance" text NOT NULL,
    "started_at" timestamptz NOT NULL DEFAULT now(),
    "expires_at" timestamptz NOT NULL,
    -- Kafka has not answered it for a lease's time: it stays alive and leaves the lanes to the others.
    "stands_by" boolean NOT NULL DEFAULT false,

    CONSTRAINT "relay_pkey" PRIMARY KEY ("id")
) WITH (fillfactor = 50);

-- One cursor for each lane. Published are the rows visible in "done_snapshot" and, while a batch is being worked on,
-- those visible in "batch_snapshot" up to "batch_position".
CREATE TABLE IF NOT EXISTS "signalbox"."lane" (
    "lane" smallint NOT NULL,

    "owner" uuid,
    -- Grows with every change of owner; a former owner's updates name an older one and change nothing.
    "epoch" bigint NOT NULL DEFAULT 0,

    "done_snapshot" pg_snapshot NOT NULL DEFAULT '1:1:',
    "done_xid" xid8 NOT NULL DEFAULT '0',
    "done_floor" bigint NOT NULL DEFAULT 0,

    "batch_snapshot" pg_snapshot,
    "batch_xid" xid8,
    "batch_floor" bigint,
    "batch_ceiling" bigint,
    "batch_position" bigint,

    -- For people and for a repair: the highest position that was published or parked, and when.
    "last_position" bigint NOT NULL DEFAULT 0,
    "moved_at" timestamptz,

    -- A new lane stays closed until the lane that its aggregates come from has passed the last event of theirs there.
    "opens_after_lane" smallint,
    "opens_after_position" bigint,
    "opens_after_xid" xid8,

    CONSTRAINT "lane_pkey" PRIMARY KEY ("lane"),
    -- A power of two of them, so that each new lane takes its aggregates from exactly one old lane.
    CONSTRAINT "lane_number" CHECK ("lane" BETWEEN 0 AND 255),
    CONSTRAINT "lane_opening" CHECK (
        num_nonnulls("opens_after_lane", "opens_after_position", "opens_after_xid") IN (0, 3)
    ),
    CONSTRAINT "lane_batch" CHECK (
        num_nonnulls("batch_snapshot", "batch_xid", "batch_floor", "batch_ceiling", "batch_position") IN (0, 5)
    )
) WITH (fillfactor = 50);

-- As many as signalbox.lane_of gives. Empty cursors: all that is in the outbox is still to be published.
INSERT INTO "signalbox"."lane" ("lane") SELECT generate_series(0, 15) ON CONFLICT DO NOTHING;

-- Events set aside, in the order in which they would have been published.
-- parked: Kafka refuses it for its own fault; an operator retries it (by making it "held") or discards it.
-- held:   nothing is wrong with it, but an earlier event of its aggregate is parked; or its topic is missing.
-- The relay that owns the lane publishes held events as soon as no earlier event of the aggregate is parked.
CREATE TABLE IF NOT EXISTS "signalbox"."parked_event" (
    "lane" smallint NOT NULL,
    "position" bigint NOT NULL,
    "event_id" uuid NOT NULL,
    "event_type" text NOT NULL,
    "aggregate_type" text NOT NULL,
    "aggregate_id" text NOT NULL,
    "state" text NOT NULL,
    -- Why, as a word that scripts can use, and in a sentence without any value out of the event's data.
    "reason" text NOT NULL,
    "detail" text NOT NULL,
    "attempts" integer NOT NULL DEFAULT 1,
    "parked_at" timestamptz NOT NULL DEFAULT now(),
    "last_attempt_at" timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT "parked_event_pkey" PRIMARY KEY ("lane", "position"),
    CONSTRAINT "parked_event_outbox" FOREIGN KEY ("lane", "position") REFERENCES "signalbox"."outbox" ("lane", "position"),
    CONSTRAINT "parked_event_state" CHECK ("state" IN ('parked', 'held')),
    CONSTRAINT "parked_event_reason" CHECK (
        "reason" IN (
            'too_large', 'unknown_type', 'refused', 'topic_missing', 'topic_refused', 'topic_unavailable', 'behind'
        )
    )
);

-- Without the lane: events of one aggregate may be set aside in two lanes while the number of lanes is raised.
CREATE INDEX IF NOT EXISTS "parked_event_aggregate" ON "signalbox"."parked_event" ("aggregate_type", "aggregate_id", "position");

-- Where the events go: written by the first relay that reaches Kafka, changed by "ops outbox target" only. Relays with
-- another target are refused, or the events would be split between the two.
CREATE TABLE IF NOT EXISTS "signalbox"."target" (
    "only" boolean NOT NULL DEFAULT true,
    -- As Kafka names its cluster.
    "cluster_id" text NOT NULL,
    "topic_prefix" text NOT NULL,
    "set_at" timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT "target_pkey" PRIMARY KEY ("only"),
    CONSTRAINT "target_one_row" CHECK ("only")
);
