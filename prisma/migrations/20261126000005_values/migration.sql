-- What is stored can be read again and is one thing under one spelling, whoever writes it: Prisma, psql or another
-- program. Decision 15 says why it is done here, and docs/operations.md what to do when this migration stops.

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

-- Rows of the time before. What only people can correct stops the migration, which says where it is.
DO $$
DECLARE
    names text;
    addresses text;
    times text;
BEGIN
    SELECT string_agg(id::text, ', ') INTO names FROM (
        SELECT id FROM "patients" WHERE name_key("name") = ''
        UNION ALL SELECT id FROM "appointments" WHERE name_key("practitioner") = '' LIMIT 10) AS found;
    SELECT string_agg(id::text, ', ') INTO addresses FROM (
        SELECT id FROM "patients" WHERE "email" !~ '^[!-~]+$'
            OR lower("email" COLLATE "C") IN (SELECT lower("email" COLLATE "C") FROM "patients"
                GROUP BY 1 HAVING count(*) > 1) LIMIT 10) AS found;
    SELECT string_agg(id::text, ', ') INTO times FROM (
        SELECT id FROM "patients" WHERE NOT (readable("created_at") AND readable("updated_at")
            AND coalesce("date_of_birth", '2000-01-01') BETWEEN '0001-01-01' AND '9999-12-31')
        UNION ALL SELECT id FROM "appointments" WHERE NOT (readable("starts_at") AND readable("ends_at")
            AND readable("created_at") AND readable("updated_at")) LIMIT 10) AS found;
    IF coalesce(names, addresses, times) IS NOT NULL THEN
        RAISE EXCEPTION 'Some rows have to be corrected before this migration'
            USING ERRCODE = 'check_violation', DETAIL = concat_ws('; ',
                'names without a character that can be seen: ' || names,
                'e-mail addresses that are not ASCII (with the domain as punycode), or two that differ in case only: '
                    || addresses,
                'times that are infinite or outside the years 1 to 9999: ' || times),
            HINT = 'Up to ten ids of patients and appointments are named. Correct or delete the rows and migrate again.';
    END IF;
END $$;

-- The rest is corrected here, which events tell consumers.
UPDATE "patients" SET "name" = clean_line("name"), "email" = lower("email" COLLATE "C"), "updated_at" = now()
    WHERE "name" <> clean_line("name") OR "email" ~ '[A-Z]';
UPDATE "appointments" SET "practitioner" = clean_line("practitioner"), "updated_at" = now()
    WHERE "practitioner" <> clean_line("practitioner");

-- Generated, so that it is there for other writers too, and in the table, so that an index never depends on which
-- version of Unicode the server has today. A practitioner who is booked twice under two spellings stops the migration
-- with the constraint's name.
ALTER TABLE "appointments" ADD COLUMN "practitioner_key" TEXT NOT NULL
    GENERATED ALWAYS AS (name_key("practitioner")) STORED;
ALTER TABLE "appointments" DROP CONSTRAINT "appointments_practitioner_free";
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
