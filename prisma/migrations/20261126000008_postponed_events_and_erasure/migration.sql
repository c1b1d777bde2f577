-- Events that a consumer puts off: its handler said "later", or an earlier event of the same aggregate is put off and the
-- consumer wants their order kept. Each row is written in the transaction of its inbox row, so a redelivery finds the
-- event known, and the row is deleted in the transaction of the event's effect.
CREATE TABLE "signalbox"."postponed_event" (
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

CREATE INDEX "postponed_event_due" ON "signalbox"."postponed_event" ("consumer", "due_at");
CREATE INDEX "postponed_event_aggregate" ON "signalbox"."postponed_event"
    ("consumer", "aggregate_type", "aggregate_id", "sequence", "arrival");
-- Erasure looks for an aggregate's rows whatever the consumer.
CREATE INDEX "postponed_event_erasure" ON "signalbox"."postponed_event" ("aggregate_id");

-- Who carries out the effect of an event outside of the database at the moment: an e-mail, say. No transaction is open
-- meanwhile; the row keeps other processes from doing the same until it is deleted with the inbox row's insertion, or
-- has expired.
CREATE TABLE "signalbox"."effect_lease" (
    "consumer" text NOT NULL,
    "event_id" uuid NOT NULL,
    "token" uuid NOT NULL,
    "expires_at" timestamptz NOT NULL,

    CONSTRAINT "effect_lease_pkey" PRIMARY KEY ("consumer", "event_id")
);

-- The journal of erasures: who erased what of whom, when and why. It holds ids and counts, nothing that was erased.
CREATE TABLE "signalbox"."erasure" (
    "id" bigint GENERATED ALWAYS AS IDENTITY,
    "subject_type" text NOT NULL,
    "subject_id" uuid NOT NULL,
    "erased_at" timestamptz NOT NULL DEFAULT now(),
    "erased_by" text NOT NULL,
    "reason" text NOT NULL,
    -- Rows by place, as {"outbox": 3}.
    "rows" jsonb NOT NULL,

    CONSTRAINT "erasure_pkey" PRIMARY KEY ("id")
);

CREATE INDEX "erasure_subject" ON "signalbox"."erasure" ("subject_type", "subject_id");

-- The audit log is only ever added to, but for an erasure: its transaction says that it is one, and may change what a row
-- says of a person, not that something was done, by whom and when.
CREATE OR REPLACE FUNCTION "audit_log_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('signalbox.erasing', true) = 'on'
    AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
