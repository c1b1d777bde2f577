-- The inbox: which consumer has had its effect of which event, written in the transaction of that effect.
CREATE TABLE IF NOT EXISTS "signalbox"."inbox" (
    "consumer" text NOT NULL,
    "event_id" uuid NOT NULL,
    "processed_at" timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("consumer", "event_id")
);

-- Old entries are trimmed by age.
CREATE INDEX IF NOT EXISTS "inbox_processed_at" ON "signalbox"."inbox" USING brin ("processed_at");

-- Events that a consumer puts off: its handler said "later", or an earlier event of the same aggregate is put off and the
-- consumer wants their order kept. Each row is written in the transaction of its inbox row, so a redelivery finds the
-- event known, and the row is deleted in the transaction of the event's effect.
CREATE TABLE IF NOT EXISTS "signalbox"."postponed_event" (
    "consumer" text NOT NULL,
    "event_id" uuid NOT NULL,
    -- In which order they came, where sequences are equal.
    "arrival" bigint GENERATED ALWAYS AS IDENTITY,
    "event_type" text NOT NULL,
    "aggregate_type" text NOT NULL,
    "aggregate_id" text NOT NULL,
    -- metadata.sequence, which may have more digits than a bigint.
    "sequence" numeric NOT NULL,

    -- The message as Kafka has it, for the handler and for a dead letter. Header names and values are base64.
    "topic" text NOT NULL,
    "partition" integer NOT NULL,
    "offset" bigint NOT NULL,
    "timestamp_ms" bigint NOT NULL,
    "key" bytea,
    "value" bytea NOT NULL,
    "headers" jsonb NOT NULL,

    "due_at" timestamptz NOT NULL,
    "postponed_at" timestamptz NOT NULL DEFAULT now(),
    -- The consumer's patience counts from its first attempt; null: it has not been tried, it waits for an earlier event.
    "tried_since" timestamptz,
    "attempts" integer NOT NULL,
    -- Attempts in a row that failed, and attempts in a row that came to nothing through an outage.
    "failures" integer NOT NULL DEFAULT 0,
    "outages" integer NOT NULL DEFAULT 0,
    "error_class" text,
    -- A sentence without any value of the event's data.
    "reason" text,
    -- It is to become a dead letter, and its handler is not run again.
    "given_up" boolean NOT NULL DEFAULT false,

    -- Who works on it, until when. The row of a process that died is free when its lease has expired.
    "lease_token" uuid,
    "leased_until" timestamptz,

    CONSTRAINT "postponed_event_pkey" PRIMARY KEY ("consumer", "event_id"),
    CONSTRAINT "postponed_event_lease" CHECK (num_nonnulls("lease_token", "leased_until") IN (0, 2))
) WITH (fillfactor = 70);

CREATE INDEX IF NOT EXISTS "postponed_event_due" ON "signalbox"."postponed_event" ("consumer", "due_at");
CREATE INDEX IF NOT EXISTS "postponed_event_aggregate" ON "signalbox"."postponed_event"
    ("consumer", "aggregate_type", "aggregate_id", "sequence", "arrival");
-- Erasure looks for an aggregate's rows whatever the consumer.
CREATE INDEX IF NOT EXISTS "postponed_event_erasure" ON "signalbox"."postponed_event" ("aggregate_id");

-- Who carries out the effect of an event outside of the database at the moment: an e-mail, say. No transaction is open
-- meanwhile; the row keeps other processes from doing the same until it is deleted with the inbox row's insertion, or
-- has expired.
CREATE TABLE IF NOT EXISTS "signalbox"."effect_lease" (
    "consumer" text NOT NULL,
    "event_id" uuid NOT NULL,
    "token" uuid NOT NULL,
    "expires_at" timestamptz NOT NULL,

    CONSTRAINT "effect_lease_pkey" PRIMARY KEY ("consumer", "event_id")
);

-- What operators have done with dead letters. A dead letter that is not here is still to be dealt with.
--
-- The letter itself stays in Kafka, which is append-only. Its place there would do as a key if no topic were ever
-- deleted and made anew, or moved to another cluster; the time at which it was written tells such places apart.
CREATE TABLE IF NOT EXISTS "signalbox"."settled_dead_letter" (
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
