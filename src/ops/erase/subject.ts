import type { ClientBase } from 'pg';

/** Whose data are to be erased, and the events in which they may stand. */
export interface Subject {
  readonly patientId: string;
  /** Whether the patient is still in the service's own table. */
  readonly exists: boolean;
  /** The patient and its appointments: what commands are about. */
  readonly aggregateIds: readonly string[];
}

/** Finds the appointments of a patient wherever they are still known. */
export async function findSubject(client: Pick<ClientBase, 'query'>, patientId: string): Promise<Subject> {
  const patient = await client.query('SELECT 1 FROM "patients" WHERE "id" = $1::uuid', [patientId]);
  const { rows } = await client.query<{ id: string }>(
    `SELECT "appointment_id"::text AS id FROM "reminders"."appointment" WHERE "patient_id" = $1::uuid
     UNION SELECT "id"::text FROM "appointments" WHERE "patient_id" = $1::uuid
     UNION SELECT "aggregate_id" FROM "audit_log"
       WHERE "aggregate_type" = 'appointment' AND lower("data"->>'patient_id') = $1::text
     UNION SELECT "aggregate_id" FROM "signalbox"."outbox"
       WHERE "aggregate_type" = 'appointment' AND lower("data"->>'patient_id') = $1::text`,
    [patientId],
  );
  return {
    patientId,
    exists: patient.rowCount !== 0,
    aggregateIds: [patientId, ...rows.map(({ id }) => id)],
  };
}
