import type { EventOf } from '../../catalogue';
import type { Prisma } from '../../../generated/prisma/client';

type PatientEvent = EventOf<'patient.created' | 'patient.updated' | 'patient.deleted'>;

/** Writes the address that an event says its patient has, or that there is none, unless a later event has been here. */
export async function noteContact(
  tx: Prisma.TransactionClient,
  { data, metadata }: PatientEvent,
  email: string | null,
): Promise<void> {
  await tx.$executeRaw`
    INSERT INTO "reminders"."contact" AS known ("patient_id", "sequence", "email")
    VALUES (${data.patient_id}::uuid, ${metadata.sequence}::bigint, ${email}::text)
    ON CONFLICT ("patient_id") DO UPDATE SET "sequence" = excluded."sequence", "email" = excluded."email"
    WHERE known."sequence" < excluded."sequence"`;
}
