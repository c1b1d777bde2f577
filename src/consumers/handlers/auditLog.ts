import type { Prisma } from '../../generated/prisma/client';
import { handleEveryEvent } from '../handlers';

/**
 * Who changed what when: one row per event, only ever added. The row's key is the event's id, so that a replay from
 * before the inbox's memory finds it there.
 */
export const auditLog = handleEveryEvent(async (event, { tx }) => {
  const { metadata } = event;
  await tx.auditEntry.createMany({
    skipDuplicates: true,
    data: [
      {
        eventId: event.event_id,
        eventType: event.event_type,
        aggregateType: metadata.aggregate_type,
        aggregateId: metadata.aggregate_id,
        sequence: BigInt(metadata.sequence),
        actor: metadata.actor,
        correlationId: metadata.correlation_id,
        occurredAt: new Date(event.timestamp),
        data: event.data satisfies object as Prisma.InputJsonObject,
      },
    ],
  });
});
