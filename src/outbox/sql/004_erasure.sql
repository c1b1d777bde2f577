-- The journal of erasures: who erased what of whom, when and why. It holds ids and counts, nothing that was erased.
CREATE TABLE IF NOT EXISTS "signalbox"."erasure" (
    "id" bigint GENERATED ALWAYS AS IDENTITY,
    "subject_type" text NOT NULL,
    "subject_id" text NOT NULL,
    "erased_at" timestamptz NOT NULL DEFAULT now(),
    "erased_by" text NOT NULL,
    "reason" text NOT NULL,
    -- Rows by place, as {"outbox": 3}.
    "rows" jsonb NOT NULL,

    CONSTRAINT "erasure_pkey" PRIMARY KEY ("id")
);

CREATE INDEX IF NOT EXISTS "erasure_subject" ON "signalbox"."erasure" ("subject_type", "subject_id");
