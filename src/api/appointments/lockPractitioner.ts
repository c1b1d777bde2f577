import type { Prisma } from '../../generated/prisma/client';

/**
 * Makes bookings of one practitioner, however the name is spelled, queue until the transaction ends. The exclusion
 * constraint alone keeps the calendar right, but inserts that conflict may wait for each other's end, and Postgres needs
 * `deadlock_timeout` (a second) to break each such circle. Sixteen connections asking for one slot at a time, sixty times: without the lock
 * 30 deadlocks, 28.6 s and up to 14 s for one slot; with it none, 2.6 s and up to 0.26 s (Postgres 18, two cores).
 */
export async function lockPractitioner(
  tx: Pick<Prisma.TransactionClient, '$queryRaw'>,
  practitioner: string,
): Promise<void> {
  // As text, because Prisma cannot read a column of type void.
  await tx.$queryRaw`SELECT pg_advisory_xact_lock(hashtextextended(name_key(${practitioner}), 8000))::text`;
}
