-- Topics that cannot be used one by one, relays that stand by, and the one Kafka that this outbox is published to.

-- Beside a topic that is missing: one that Kafka refuses, and one that it cannot write to for now.
ALTER TABLE "signalbox"."parked_event" DROP CONSTRAINT "parked_event_reason";
ALTER TABLE "signalbox"."parked_event" ADD CONSTRAINT "parked_event_reason" CHECK (
    "reason" IN (
        'too_large', 'unknown_type', 'refused', 'topic_missing', 'topic_refused', 'topic_unavailable', 'behind'
    )
);

-- A relay that Kafka has not answered for a lease's time stays alive and leaves the lanes to the others.
ALTER TABLE "signalbox"."relay" ADD COLUMN "stands_by" boolean NOT NULL DEFAULT false;

-- Where the events go: written by the first relay that reaches Kafka, changed by "ops outbox target" only. Relays with
-- another target are refused, or the events would be split between the two.
CREATE TABLE "signalbox"."target" (
    "only" boolean NOT NULL DEFAULT true,
    -- As Kafka names its cluster.
    "cluster_id" text NOT NULL,
    "topic_prefix" text NOT NULL,
    "set_at" timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT "target_pkey" PRIMARY KEY ("only"),
    CONSTRAINT "target_one_row" CHECK ("only")
);
