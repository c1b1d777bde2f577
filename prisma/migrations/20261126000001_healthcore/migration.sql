-- The models of schema.prisma, in the form that Prisma Migrate writes them, then what Prisma cannot say.

-- What is stored can be read again and is one thing under one spelling, whoever writes it: Prisma, psql or another
-- program. Decision 15 says why it is done here.

-- A line of text as it is to be stored: letters composed (NFC), one space wherever there are blanks or control
-- characters, none around it, and nothing invisible but what joins letters and emoji or chooses their form. The API does
-- the same before it writes (src/api/http/fields.ts). Most lines are plain ASCII already, which is seen at once.
CREATE FUNCTION "clean_line"(line text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN line ~ '^[!-~]+( [!-~]+)*$' THEN line ELSE btrim(normalize(regexp_replace(regexp_replace(line,
        '[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff]', '', 'g'),
        '[\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000]+', ' ', 'g'), NFC)) END;

-- What a name is compared by: two that look alike, or differ in the case of their letters alone, have the same. Nothing
-- invisible, compatibility characters as what they stand for (NFKC), one kind of apostrophe and one of hyphen. Through
-- upper case to lower case, so that "ß" is "ss" and "ς" is "σ".
CREATE FUNCTION "name_key"(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN name ~ '^[!-~]+( [!-~]+)*$' THEN lower(name COLLATE "C") COLLATE "default"
        ELSE clean_line(translate(normalize(lower(upper(lower(normalize(regexp_replace(clean_line(name),
            '[\u180b-\u180d\u180f\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f\U000e0100-\U000e01ef]', '', 'g'),
            NFKC) COLLATE "und-x-icu"))) COLLATE "default", NFKC),
            U&'\2018\2019\02BC\2010\2011\2012\2013\2014\2212', U&'\0027\0027\0027------')) END;

-- Whether a time is one that JavaScript and ISO 8601 with a year of four digits can say.
CREATE FUNCTION "readable"(instant timestamptz) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN instant >= '0001-01-01 00:00:00+00' AND instant < '10000-01-01 00:00:00+00';

-- CreateEnum
CREATE TYPE "appointment_status" AS ENUM ('BOOKED', 'CANCELLED', 'COMPLETED');

-- CreateTable
CREATE TABLE "patients" (
    "id" UUID NOT NULL,
    "name" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "phone" TEXT,
    "date_of_birth" DATE,
    "clinical_notes" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "patients_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "appointments" (
    "id" UUID NOT NULL,
    "patient_id" UUID NOT NULL,
    "practitioner" TEXT NOT NULL,
    "practitioner_key" TEXT NOT NULL GENERATED ALWAYS AS (name_key("practitioner")) STORED,
    "starts_at" TIMESTAMPTZ(3) NOT NULL,
    "ends_at" TIMESTAMPTZ(3) NOT NULL,
    "status" "appointment_status" NOT NULL DEFAULT 'BOOKED',
    "reason" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "appointments_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "audit_log" (
    "event_id" UUID NOT NULL,
    "event_type" TEXT NOT NULL,
    "aggregate_type" TEXT NOT NULL,
    "aggregate_id" TEXT NOT NULL,
    "sequence" BIGINT NOT NULL,
    "actor" TEXT,
    "correlation_id" TEXT,
    "occurred_at" TIMESTAMPTZ(3) NOT NULL,
    "recorded_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "data" JSONB NOT NULL,

    CONSTRAINT "audit_log_pkey" PRIMARY KEY ("event_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "patients_email_key" ON "patients"("email");

-- CreateIndex
CREATE INDEX "appointments_patient_id_starts_at_idx" ON "appointments"("patient_id", "starts_at");

-- CreateIndex
CREATE INDEX "audit_log_aggregate_type_aggregate_id_sequence_idx" ON "audit_log"("aggregate_type", "aggregate_id", "sequence");

-- AddForeignKey
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_patient_id_fkey" FOREIGN KEY ("patient_id") REFERENCES "patients"("id") ON DELETE RESTRICT ON UPDATE CASCADE;

-- An appointment ends after it starts.
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_period_check" CHECK ("ends_at" > "starts_at");

-- No practitioner is booked twice for the same moment, under whatever spelling. The range is half-open, so that one
-- appointment may begin when another ends; a cancelled one frees its time. btree_gist lets "=" on text take part. The key
-- is in the table, so that the index never depends on which version of Unicode the server has today.
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE "appointments" ADD CONSTRAINT "appointments_practitioner_free"
    EXCLUDE USING gist ("practitioner_key" WITH =, tstzrange("starts_at", "ends_at") WITH &&)
    WHERE ("status" <> 'CANCELLED');

ALTER TABLE "patients"
    ADD CONSTRAINT "patients_name_is_clean" CHECK ("name" = clean_line("name") AND name_key("name") <> ''),
    -- Letter case is ASCII's: the address of a mailbox is ASCII, and so is a domain's in the form that the DNS knows.
    ADD CONSTRAINT "patients_email_is_lower_case_ascii" CHECK ("email" ~ '^[!-@\[-~]+$'),
    ADD CONSTRAINT "patients_years_1_to_9999" CHECK (readable("created_at") AND readable("updated_at")
        AND "date_of_birth" BETWEEN '0001-01-01' AND '9999-12-31');

ALTER TABLE "appointments"
    ADD CONSTRAINT "appointments_practitioner_is_clean"
        CHECK ("practitioner" = clean_line("practitioner") AND "practitioner_key" <> ''),
    ADD CONSTRAINT "appointments_years_1_to_9999" CHECK (readable("starts_at") AND readable("ends_at")
        AND readable("created_at") AND readable("updated_at"));

-- Ids and updated_at come from Prisma's client, so SQL of other programs had to know them. What it leaves out is filled
-- in here. By triggers, not by column defaults: Prisma would take those for drift, because schema.prisma says that the
-- client makes the values. The WHEN keeps Prisma's own inserts from calling the function.
CREATE FUNCTION "fill_client_defaults"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.id := coalesce(NEW.id, gen_random_uuid());
  NEW.updated_at := coalesce(NEW.updated_at, NEW.created_at, clock_timestamp());
  RETURN NEW;
END $$;

CREATE TRIGGER "patients_client_defaults" BEFORE INSERT ON "patients"
    FOR EACH ROW WHEN (NEW."id" IS NULL OR NEW."updated_at" IS NULL)
    EXECUTE FUNCTION "fill_client_defaults"();

CREATE TRIGGER "appointments_client_defaults" BEFORE INSERT ON "appointments"
    FOR EACH ROW WHEN (NEW."id" IS NULL OR NEW."updated_at" IS NULL)
    EXECUTE FUNCTION "fill_client_defaults"();

-- The audit log is only ever added to, but for an erasure: its transaction says that it is one, and may change what a row
-- says of a person, not that something was done, by whom and when.
CREATE FUNCTION "audit_log_refuse_change"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND current_setting('signalbox.erasing', true) = 'on'
    AND to_jsonb(NEW) - 'data' = to_jsonb(OLD) - 'data' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'audit_log is append-only: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER "audit_log_append_only" BEFORE UPDATE OR DELETE ON "audit_log"
    FOR EACH ROW EXECUTE FUNCTION "audit_log_refuse_change"();
