import type { Prisma } from '../../../generated/prisma/client';

/** A reminder that is to be sent now. */
export interface DueReminder {
  readonly appointmentId: string;
  readonly startsAt: Date;
  readonly email: string;
  /** The event that the appointment's time is known from. */
  readonly eventId: string | null;
  readonly correlationId: string | null;
}

/**
 * Marks reminders as sent and gives them, earliest appointment first; the caller sends them in this transaction.
 *
 * Time is the server's, so clocks of processes need not agree. A row that another sender has locked is that one's
 * (SKIP LOCKED), and one that an event changed meanwhile is looked at again under its lock: what is given here is
 * neither past nor known to be cancelled, and nobody else's. An appointment whose patient's address has not come yet
 * waits for it.
 */
export async function takeDue(
  tx: Prisma.TransactionClient,
  { leadMinutes, limit }: { leadMinutes: number; limit: number },
): Promise<DueReminder[]> {
  return tx.$queryRaw<DueReminder[]>`
    WITH due AS (
      SELECT a."appointment_id", c."email"
      FROM "reminders"."appointment" a JOIN "reminders"."contact" c USING ("patient_id")
      WHERE a."starts_at" > now() AND a."starts_at" <= now() + ${leadMinutes}::int * interval '1 minute'
        AND a."starts_at" IS DISTINCT FROM a."sent_for" AND c."email" IS NOT NULL
      ORDER BY a."starts_at" LIMIT ${limit}::int
      FOR UPDATE OF a SKIP LOCKED
    )
    UPDATE "reminders"."appointment" a SET "sent_for" = a."starts_at"
    FROM due WHERE a."appointment_id" = due."appointment_id"
    RETURNING a."appointment_id"::text AS "appointmentId", a."starts_at" AS "startsAt", due."email",
      a."event_id"::text AS "eventId", a."correlation_id" AS "correlationId"`;
}
