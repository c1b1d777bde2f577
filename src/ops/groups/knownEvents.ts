import type { Pool, PoolClient } from 'pg';
import { countProcessed, forgetEvents } from '../../consumers/forgetEvents';
import { readEvent } from '../../kafka/messages/readMessage';
import { countRanges, type Range, readRange } from '../../kafka/groups/readRange';
import type { Tools } from '../command';
import { withDatabase } from '../database';
import type { KafkaTools } from '../kafka';
import { createProgress } from '../output/progress';
import { inTransaction } from '../../shared/inTransaction';

/** What a consumer's inbox knows of a stretch of topics. */
export interface Known {
  readonly consumer: string;
  readonly events: number;
}

/** Ids are asked for in lots of this many. */
const lot = 1_000;

/**
 * Counts the events of the ranges that the consumer's inbox knows, and with `forget` has it forget them, all or none.
 * Null when no consumer is named.
 */
export async function withKnownEvents(
  tools: Tools,
  kafkaTools: KafkaTools,
  consumer: string | undefined,
  ranges: readonly Range[],
  forget: boolean,
): Promise<Known | null> {
  if (consumer === undefined) return null;
  const events = await withDatabase(tools, (pool: Pool) =>
    inTransaction(pool, (client) => scan(tools, kafkaTools, client, consumer, ranges, forget)),
  );
  return { consumer, events };
}

async function scan(
  { logger, stderr }: Tools,
  { catalogue, kafka, config }: KafkaTools,
  client: PoolClient,
  consumer: string,
  ranges: readonly Range[],
  forget: boolean,
): Promise<number> {
  const act = forget ? forgetEvents : countProcessed;
  const progress = createProgress({ stream: stderr, total: countRanges(ranges), unit: 'messages' });
  let ids: string[] = [];
  let found = 0;
  const flush = async (): Promise<void> => {
    if (ids.length > 0) found += await act(client, consumer, ids);
    ids = [];
  };
  try {
    await readRange({
      kafka,
      logger,
      ranges,
      onMessage: async (message) => {
        progress.advance(1);
        const parsed = readEvent(message, {
          catalogue,
          topicPrefix: config.KAFKA_TOPIC_PREFIX,
        });
        if (parsed.ok) ids.push(parsed.event.event_id);
        if (ids.length >= lot) await flush();
      },
    });
    await flush();
    return found;
  } finally {
    progress.end();
  }
}
