import type { EventOf } from '../../catalogue';
import type { Prisma } from '../../../generated/prisma/client';

type AppointmentEvent = EventOf<
  | 'appointment.booked'
  | 'appointment.rescheduled'
  | 'appointment.cancelled'
  | 'appointment.completed'
  | 'appointment.deleted'
>;

/**
 * Writes what an event says of its appointment, unless a later one has been here. Each event says all that is kept, so
 * the row that remains is that of the greatest sequence, whatever the order of arrival.
 */
export async function noteAppointment(
  tx: Prisma.TransactionClient,
  { event_id, data, metadata }: AppointmentEvent,
  startsAt: string | null,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "reminders"."appointment" AS known
      ("appointment_id", "patient_id", "sequence", "event_id", "correlation_id", "starts_at")
    VALUES (${data.appointment_id}::uuid, ${data.patient_id}::uuid, ${metadata.sequence}::bigint,
      ${event_id}::uuid, ${metadata.correlation_id}::text, ${startsAt}::timestamptz)
    ON CONFLICT ("appointment_id") DO UPDATE SET
      "patient_id" = excluded."patient_id", "sequence" = excluded."sequence", "event_id" = excluded."event_id",
      "correlation_id" = excluded."correlation_id", "starts_at" = excluded."starts_at"
    WHERE known."sequence" < excluded."sequence"`;
}
