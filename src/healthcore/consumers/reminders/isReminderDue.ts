import { z } from 'zod';
import type { EventEnvelope } from '../../catalogue';
import type { Prisma } from '../../../generated/prisma/client';

interface Known {
  /** Null when nobody is to come. */
  readonly startsAt: Date | null;
  /** Null when the patient is deleted or has no address. */
  readonly email: string | null;
}

/**
 * Whether a reminder still holds just before it is sent: its appointment takes place at the time that it names, and its
 * patient is known by the address that it goes to. After an outage commands come late, and some that were right then are
 * not any more.
 *
 * The projection may be behind for the same reason, so the appointment itself is asked as well. An appointment that
 * neither knows is not this service's, and its mail is sent. When only the address has changed, the reminder is marked as
 * not sent, and the sender asks for another one.
 */
export async function isReminderDue(
  tx: Prisma.TransactionClient,
  { data, metadata }: EventEnvelope<'email.send'>,
): Promise<boolean> {
  const { success, data: id } = z.guid().safeParse(metadata.aggregate_id);
  if (!success) return true;
  const known = await findKnown(tx, id);
  const source = await tx.appointment.findUnique({ where: { id }, select: { status: true, startsAt: true } });
  if (!known && !source) return true;
  if (source?.status !== 'BOOKED' || source.startsAt <= new Date()) return false;
  if (!known) return isFor(source.startsAt, data.expires_at);
  if (!isFor(source.startsAt, data.expires_at) || !isFor(known.startsAt, source.startsAt.toISOString()))
    return false;
  if (known.email === data.to) return true;
  if (known.email !== null)
    await tx.$executeRaw`
    UPDATE "reminders"."appointment" SET "sent_for" = NULL
    WHERE "appointment_id" = ${id}::uuid AND "sent_for" = "starts_at"`;
  return false;
}

/** Reminders of before they said when they expire name their time in their text only. */
const isFor = (startsAt: Date | null, named: string | undefined): boolean =>
  startsAt !== null && (named === undefined || startsAt.getTime() === new Date(named).getTime());

async function findKnown(tx: Prisma.TransactionClient, appointmentId: string): Promise<Known | undefined> {
  const [known] = await tx.$queryRaw<Known[]>`
    SELECT a."starts_at" AS "startsAt", c."email"
    FROM "reminders"."appointment" a LEFT JOIN "reminders"."contact" c USING ("patient_id")
    WHERE a."appointment_id" = ${appointmentId}::uuid`;
  return known;
}
