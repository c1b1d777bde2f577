import type { Prisma } from '../generated/prisma/client';

/**
 * Notes, in the transaction of its effect, that a consumer processes an event; false when it has done so before.
 * When another transaction has noted the same event and is still open, this waits for its end: one of the two goes on.
 */
export async function claimEvent(
  tx: Prisma.TransactionClient,
  consumer: string,
  eventId: string,
): Promise<boolean> {
  const inserted = await tx.$executeRaw`
    INSERT INTO "signalbox"."inbox" ("consumer", "event_id") VALUES (${consumer}, ${eventId}::uuid)
    ON CONFLICT DO NOTHING`;
  return inserted === 1;
}
