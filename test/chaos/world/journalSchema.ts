/*
 * What the checker believes instead of the outbox: a journal that triggers of the chaos suite's own keep, in the very
 * transaction of each change. It knows nothing of capture, positions or lanes.
 *
 * Every row carries a version that the database counts: a patient in `phone`, an appointment behind the slash of
 * `practitioner`. So an event says which version of its row it tells of, and both engines must have seen what the
 * database made of the write. `tag` names the writer's transaction (chaos.tag), or the single statement that was one.
 */
export const journalSchema = `
  CREATE SCHEMA chaos;

  CREATE TABLE chaos.change (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, version int NOT NULL,
    event_type text NOT NULL, mark text NOT NULL, tag text NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, version));

  -- What consumers did, once for each time they did it: nothing here is unique on purpose.
  CREATE TABLE chaos.effect (
    id bigserial PRIMARY KEY, event_id uuid NOT NULL, topic text NOT NULL, member text NOT NULL);

  CREATE FUNCTION chaos.tag(otherwise text) RETURNS text LANGUAGE sql AS
    $$ SELECT coalesce(nullif(current_setting('chaos.tag', true), ''), otherwise) $$;

  CREATE FUNCTION chaos.count_patient() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.phone := (OLD.phone::int + 1)::text;
    RETURN NEW;
  END $$;
  CREATE TRIGGER count BEFORE UPDATE ON patients FOR EACH ROW EXECUTE FUNCTION chaos.count_patient();

  CREATE FUNCTION chaos.count_appointment() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    NEW.practitioner := split_part(OLD.practitioner, '/', 1) || '/' || split_part(OLD.practitioner, '/', 2)::int + 1;
    RETURN NEW;
  END $$;
  CREATE TRIGGER count BEFORE UPDATE ON appointments FOR EACH ROW EXECUTE FUNCTION chaos.count_appointment();

  CREATE FUNCTION chaos.note_patient() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    IF TG_OP = 'DELETE' THEN
      INSERT INTO chaos.change VALUES ('patient', OLD.id, OLD.phone::int + 1, 'patient.deleted', '', chaos.tag('delete ' || OLD.id));
    ELSE
      INSERT INTO chaos.change VALUES ('patient', NEW.id, NEW.phone::int,
        CASE TG_OP WHEN 'INSERT' THEN 'patient.created' ELSE 'patient.updated' END, NEW.phone, chaos.tag(NEW.name));
    END IF;
    RETURN NULL;
  END $$;
  CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON patients FOR EACH ROW EXECUTE FUNCTION chaos.note_patient();

  CREATE FUNCTION chaos.note_appointment() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    version text := split_part(coalesce(NEW.practitioner, OLD.practitioner), '/', 2);
    event text;
  BEGIN
    IF TG_OP = 'DELETE' THEN
      INSERT INTO chaos.change VALUES
        ('appointment', OLD.id, version::int + 1, 'appointment.deleted', '', chaos.tag('delete ' || OLD.id));
      RETURN NULL;
    END IF;
    event := CASE
      WHEN TG_OP = 'INSERT' THEN 'appointment.booked'
      WHEN NEW.status <> OLD.status THEN 'appointment.' || lower(NEW.status::text)
      ELSE 'appointment.rescheduled' END;
    INSERT INTO chaos.change VALUES ('appointment', NEW.id, version::int, event,
      CASE WHEN event IN ('appointment.booked', 'appointment.rescheduled') THEN version ELSE '' END, chaos.tag(NEW.reason));
    RETURN NULL;
  END $$;
  CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON appointments
    FOR EACH ROW EXECUTE FUNCTION chaos.note_appointment();
`;

/** Patients that all writers change, so that they meet at their rows. They live from before the first to after the last. */
export const hotPatients: readonly string[] = Array.from(
  { length: 20 },
  (_, index) => `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`,
);

/** Addressees of `email.send`: aggregates that have no row to lock. */
export const mailboxes: readonly string[] = ['mail-0', 'mail-1', 'mail-2', 'mail-3'];
