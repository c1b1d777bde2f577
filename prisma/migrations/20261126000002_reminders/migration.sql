-- What the consumer appointment-reminders knows: a projection of events, nobody else's business. Like the inbox it lives
-- in a Postgres schema that Prisma does not manage.
CREATE SCHEMA "reminders";

-- One row for each appointment of which an event has come, also for cancelled and deleted ones: the row remembers the
-- last sequence, so that an older event that comes later finds it and changes nothing.
CREATE TABLE "reminders"."appointment" (
    "appointment_id" uuid NOT NULL,
    "patient_id" uuid NOT NULL,
    -- The event that this row was last written from; 0 and none where the row was filled in from the source.
    "sequence" bigint NOT NULL,
    "event_id" uuid,
    "correlation_id" text,
    -- When to be there; null when nobody is to come: cancelled, completed, deleted.
    "starts_at" timestamptz(3),
    -- The start that the last reminder named. It is the sender's alone: no event changes it, so what events have made of
    -- a row never depends on the order in which they came.
    "sent_for" timestamptz(3),

    CONSTRAINT "appointment_pkey" PRIMARY KEY ("appointment_id")
);

-- The reminders that are still to be sent, by time: looking for due ones costs the same after years.
CREATE INDEX "appointment_to_remind" ON "reminders"."appointment" ("starts_at")
    WHERE "starts_at" IS NOT NULL AND "starts_at" IS DISTINCT FROM "sent_for";

-- Where to write to; null when the patient is deleted or the address is none that mail can be sent to.
CREATE TABLE "reminders"."contact" (
    "patient_id" uuid NOT NULL,
    "sequence" bigint NOT NULL,
    "email" text,

    CONSTRAINT "contact_pkey" PRIMARY KEY ("patient_id")
);
