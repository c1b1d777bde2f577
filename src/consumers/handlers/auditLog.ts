import type { AnyEvent } from '../../events/envelope';
import type { Prisma } from '../../generated/prisma/client';
import { handleEveryEvent } from '../handlers';
import type { SharedTransactions } from '../processTogether';

/**
 * Who changed what when: one row per event, only ever added. The row's key is the event's id, so that a replay from
 * before the inbox's memory finds it there.
 */
export const auditLog = handleEveryEvent(async (event, { tx }) => record([event], tx));

/** A row depends on no other, so many are written with one statement. */
export const auditLogTogether: SharedTransactions = { most: 100, handle: record };

async function record(events: readonly AnyEvent[], tx: Prisma.TransactionClient): Promise<void> {
  await tx.auditEntry.createMany({ skipDuplicates: true, data: events.map(entryOf) });
}

function entryOf({ event_id, event_type, timestamp, metadata, data }: AnyEvent) {
  return {
    eventId: event_id,
    eventType: event_type,
    aggregateType: metadata.aggregate_type,
    aggregateId: metadata.aggregate_id,
    sequence: BigInt(metadata.sequence),
    actor: metadata.actor,
    correlationId: metadata.correlation_id,
    occurredAt: new Date(timestamp),
    data: data satisfies object as Prisma.InputJsonObject,
  };
}
