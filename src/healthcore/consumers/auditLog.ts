import { type AnyEvent, catalogue } from '../catalogue';
import type { Prisma } from '../../generated/prisma/client';
import { handleEveryEvent } from 'signalbox/consumers';
import type { Handlers, SharedTransactions } from './types';

/**
 * Who changed what when: one row per event, only ever added. The row's key is the event's id, so that a replay from
 * before the inbox's memory finds it there.
 */
export const auditLog: Handlers = handleEveryEvent<typeof catalogue, Prisma.TransactionClient>(
  catalogue,
  async (event, { tx }) => record([event], tx),
);

/** A row depends on no other, so many are written with one statement. */
export const auditLogTogether: SharedTransactions = { most: 100, handle: record };

/** SQL, because Prisma's createMany takes twenty times as long to put the statement for a hundred rows together. */
async function record(events: readonly AnyEvent[], tx: Prisma.TransactionClient): Promise<void> {
  const all = (pick: (event: AnyEvent) => string | null): (string | null)[] => events.map(pick);
  await tx.$executeRaw`
    INSERT INTO "audit_log" ("event_id", "event_type", "aggregate_type", "aggregate_id", "sequence",
      "actor", "correlation_id", "occurred_at", "data")
    SELECT * FROM unnest(
      ${all(({ event_id }) => event_id)}::uuid[],
      ${all(({ event_type }) => event_type)}::text[],
      ${all(({ metadata }) => metadata.aggregate_type)}::text[],
      ${all(({ metadata }) => metadata.aggregate_id)}::text[],
      ${all(({ metadata }) => metadata.sequence)}::bigint[],
      ${all(({ metadata }) => metadata.actor)}::text[],
      ${all(({ metadata }) => metadata.correlation_id)}::text[],
      ${all(({ timestamp }) => timestamp)}::timestamptz[],
      ${all(({ data }) => JSON.stringify(data))}::jsonb[])
    ON CONFLICT DO NOTHING`;
}
