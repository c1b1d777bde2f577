import type { EventEnvelope } from '../events/envelope';
import { envelopeOf } from '../kafka/messages/message';
import { type LogRow, logRowColumns } from '../outbox/log/readPage';

/** What reading the outbox needs of a Prisma client. */
export interface OutboxReader {
  $queryRawUnsafe(sql: string, ...parameters: unknown[]): PromiseLike<unknown>;
}

/** A moment of the log: what was committed by then, and the last position that had been drawn. */
export interface Mark {
  readonly snapshot: string;
  readonly position: string;
}

/** More than any event may have. */
const maxDataBytes = '1000000000';

/** The present moment of the log. */
export async function markLog(client: OutboxReader): Promise<Mark> {
  const rows = (await client.$queryRawUnsafe(
    `SELECT pg_current_snapshot()::text AS snapshot,
       coalesce(pg_sequence_last_value('signalbox.outbox_position'), 0)::text AS position`,
  )) as Mark[];
  const [mark] = rows;
  if (!mark) throw new Error('Postgres has answered a SELECT without FROM with no row');
  return mark;
}

/**
 * The events that were committed since a moment, by position. Of transactions that were open then, those that had been
 * appended already are left out: they belong to what came before.
 */
export async function eventsSince(client: OutboxReader, mark: Mark): Promise<EventEnvelope[]> {
  const rows = (await client.$queryRawUnsafe(
    `SELECT ${logRowColumns(maxDataBytes)} FROM signalbox.outbox o
     WHERE o.position > $1::bigint AND NOT pg_visible_in_snapshot(o.txid, $2::pg_snapshot)
     ORDER BY o.position`,
    mark.position,
    mark.snapshot,
  )) as LogRow[];
  return rows.map((row) => JSON.parse(envelopeOf({ ...row, data: row.data ?? 'null' })) as EventEnvelope);
}
