import type { Transaction } from './transaction';

export interface EffectLease {
  readonly consumer: string;
  readonly eventId: string;
  /** Of this attempt alone. */
  readonly token: string;
}

/** Takes the lease for an event's effect for so many milliseconds; false while another attempt holds it. */
export async function takeLease(
  tx: Transaction,
  { consumer, eventId, token }: EffectLease,
  leaseMs: number,
): Promise<boolean> {
  const taken = await tx.$executeRaw`
    INSERT INTO "signalbox"."effect_lease" AS held ("consumer", "event_id", "token", "expires_at")
    VALUES (${consumer}, ${eventId}::uuid, ${token}::uuid,
      clock_timestamp() + ${leaseMs}::float8 * interval '1 millisecond')
    ON CONFLICT ("consumer", "event_id") DO UPDATE
    SET "token" = excluded."token", "expires_at" = excluded."expires_at"
    WHERE held."expires_at" <= clock_timestamp()`;
  return taken === 1;
}

/** Ends the lease, unless another attempt has taken it since. */
export async function endLease(tx: Transaction, { consumer, eventId, token }: EffectLease): Promise<void> {
  await tx.$executeRaw`
    DELETE FROM "signalbox"."effect_lease"
    WHERE "consumer" = ${consumer} AND "event_id" = ${eventId}::uuid AND "token" = ${token}::uuid`;
}
