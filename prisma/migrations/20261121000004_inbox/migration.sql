-- The inbox: which consumer has had its effect of which event, written in the transaction of that effect.
CREATE TABLE "signalbox"."inbox" (
    "consumer" text NOT NULL,
    "event_id" uuid NOT NULL,
    "processed_at" timestamptz NOT NULL DEFAULT now(),

    CONSTRAINT "inbox_pkey" PRIMARY KEY ("consumer", "event_id")
);

-- Old entries are trimmed by age.
CREATE INDEX "inbox_processed_at" ON "signalbox"."inbox" USING brin ("processed_at");
