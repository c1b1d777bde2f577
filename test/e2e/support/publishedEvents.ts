/** Compares what stands in the outbox with what the topics hold: the check that no test of the relay can flatter. */
import { Client } from 'pg';
import type { ReceivedMessage } from '../../support/kafka';

export interface OutboxEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateId: string;
  readonly sequence: string;
}

/** All events of the outbox. */
export async function readOutbox(databaseUrl: string): Promise<OutboxEvent[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<OutboxEvent>(
      `SELECT event_id AS "eventId", event_type AS "eventType", aggregate_id AS "aggregateId",
         position::text AS sequence FROM signalbox.outbox ORDER BY position`,
    );
    return rows;
  } finally {
    await client.end();
  }
}

export interface Comparison {
  readonly lost: string[];
  /** Published although no such row was committed. */
  readonly invented: string[];
  /** Published after a later event of the same aggregate, within one topic. */
  readonly outOfOrder: string[];
  /** Published more than once, which is allowed. */
  readonly repeated: number;
}

/** Messages may come in the order of any partition by partition reading. */
export function compare(outbox: readonly OutboxEvent[], messages: readonly ReceivedMessage[]): Comparison {
  const committed = new Set(outbox.map(({ eventId }) => eventId));
  const seen = new Set<string>();
  const latest = new Map<string, bigint>();
  const invented: string[] = [];
  const outOfOrder: string[] = [];
  const inOrder = [...messages].sort(
    (a, b) =>
      a.topic.localeCompare(b.topic) ||
      a.partition - b.partition ||
      Number(BigInt(a.offset) - BigInt(b.offset)),
  );
  for (const { topic, key, value } of inOrder) {
    const event = JSON.parse(value ?? '') as { event_id: string; metadata: { sequence: string } };
    if (!committed.has(event.event_id)) invented.push(event.event_id);
    if (seen.has(event.event_id)) continue;
    seen.add(event.event_id);
    const place = `${topic} ${key}`;
    const sequence = BigInt(event.metadata.sequence);
    if (sequence < (latest.get(place) ?? 0n)) outOfOrder.push(event.event_id);
    latest.set(place, sequence);
  }
  return {
    lost: [...committed].filter((eventId) => !seen.has(eventId)),
    invented,
    outOfOrder,
    repeated: messages.length - seen.size,
  };
}
