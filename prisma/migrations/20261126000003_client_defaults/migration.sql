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
