-- What operators have done with dead letters. A dead letter that is not here is still to be dealt with.
--
-- The letter itself stays in Kafka, which is append-only. Its place there would do as a key if no topic were ever
-- deleted and made anew, or moved to another cluster; the time at which it was written tells such places apart.
CREATE TABLE "signalbox"."settled_dead_letter" (
    "topic" text NOT NULL,
    "partition" integer NOT NULL,
    "offset" bigint NOT NULL,
    "written_at" timestamptz NOT NULL,
    "action" text NOT NULL,
    "settled_at" timestamptz NOT NULL DEFAULT now(),
    -- For people who ask later; the letter may have expired by then.
    "consumer_group" text,
    "event_id" text,

    CONSTRAINT "settled_dead_letter_pkey" PRIMARY KEY ("topic", "partition", "offset", "written_at"),
    CONSTRAINT "settled_dead_letter_action" CHECK ("action" IN ('replayed', 'discarded'))
);
