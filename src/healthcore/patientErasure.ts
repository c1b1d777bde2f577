import {
  type EraseEvent,
  eraseEvents,
  type ErasureConnection,
  type ErasureSubject,
  type StoredEvent,
  type Subject,
} from 'signalbox';

const ofSubject = `(("aggregate_type", "aggregate_id") IN (SELECT * FROM unnest($1::text[], $2::text[]))
  OR lower("data"->>'patient_id') = $3::text)`;

/** The audit log: that something was done, by whom and when, stays. Its trigger lets only an erasure change a row. */
async function eraseAuditLog(
  client: ErasureConnection,
  { id, aggregates }: Subject,
  eraseEvent: EraseEvent,
): Promise<number> {
  await client.query(`SELECT set_config('signalbox.erasing', 'on', true)`);
  const { rows } = await client.query<StoredEvent<string>>(
    `SELECT "event_id"::text AS key, "event_type" AS "eventType", "data"
     FROM "audit_log" WHERE ${ofSubject} FOR UPDATE`,
    [aggregates.map(({ type }) => type), aggregates.map((aggregate) => aggregate.id), id],
  );
  return eraseEvents(eraseEvent, rows, (key, data) =>
    client.query(`UPDATE "audit_log" SET "data" = $2::jsonb WHERE "event_id" = $1::uuid`, [key, data]),
  );
}

/** The address that appointment-reminders knows. */
async function eraseContact(client: ErasureConnection, { id }: Subject): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE "reminders"."contact" SET "email" = NULL WHERE "patient_id" = $1::uuid AND "email" IS NOT NULL`,
    [id],
  );
  return rowCount ?? 0;
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** What `ops erase patient <id>` erases beside the events that the package keeps. */
export const patientErasure: ErasureSubject = {
  type: 'patient',
  dataField: 'patient_id',
  idForm: 'a UUID',
  normalize: (id) => (uuid.test(id) ? id.toLowerCase() : undefined),
  deletion: (id) => `DELETE /api/v1/patients/${id}`,
  async find(connection, id) {
    const patient = await connection.query('SELECT 1 FROM "patients" WHERE "id" = $1::uuid', [id]);
    const { rows } = await connection.query<{ id: string }>(
      `SELECT "appointment_id"::text AS id FROM "reminders"."appointment" WHERE "patient_id" = $1::uuid
       UNION SELECT "id"::text FROM "appointments" WHERE "patient_id" = $1::uuid
       UNION SELECT "aggregate_id" FROM "audit_log"
         WHERE "aggregate_type" = 'appointment' AND lower("data"->>'patient_id') = $1::text
       UNION SELECT "aggregate_id" FROM "signalbox"."outbox"
         WHERE "aggregate_type" = 'appointment' AND lower("data"->>'patient_id') = $1::text`,
      [id],
    );
    const visits = rows.map((row) => row.id);
    // Mails are about the patient or a visit.
    const mails = [id, ...visits].map((about) => ({ type: 'email', id: about }));
    const appointments = visits.map((visit) => ({ type: 'appointment', id: visit }));
    return {
      exists: patient.rowCount !== 0,
      aggregates: [{ type: 'patient', id }, ...appointments, ...mails],
    };
  },
  places: [
    { name: 'audit_log', erase: eraseAuditLog },
    { name: 'reminder_contacts', erase: eraseContact },
  ],
};
