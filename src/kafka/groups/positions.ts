import type { KafkaAdmin, KafkaClient } from '../ports';
import { partitionKey } from '../messages/readMessage';
import { topicOffsets } from '../topics/topicOffsets';
import { withAdmin } from '../withAdmin';

/** Where reading begins: at everything that is still there, at what comes from now on, or at a time (in ms). */
export type StartAt = 'beginning' | 'now' | { readonly sinceMs: number };

/**
 * The next offset of each partition, for a reader that keeps its place itself: a membership that ends and begins anew
 * goes on where it was, and neither repeats nor misses a message.
 */
export class Positions {
  readonly #next = new Map<string, string>();

  constructor(initial: Iterable<readonly [string, string]>) {
    for (const [key, offset] of initial) this.#next.set(key, offset);
  }

  /** The next offset. With `once` it is given a single time: afterwards the group's committed offsets hold. */
  take(place: { topic: string; partition: number }, once: boolean): string | undefined {
    const key = partitionKey(place);
    const offset = this.#next.get(key);
    if (once) this.#next.delete(key);
    return offset;
  }

  /** The message has been dealt with. */
  passed(place: { topic: string; partition: number; offset: string }): void {
    this.#next.set(partitionKey(place), String(BigInt(place.offset) + 1n));
  }
}

/** Asks the brokers for the offsets at which to begin. Rejects when a topic is missing or no broker answers. */
export async function findPositions(
  kafka: KafkaClient,
  topics: readonly string[],
  startAt: StartAt,
): Promise<Positions> {
  return withAdmin(kafka, async (admin) => {
    const found: [string, string][] = [];
    for (const topic of topics) {
      for (const { partition, offset } of await offsetsOf(admin, topic, startAt)) {
        found.push([partitionKey({ topic, partition }), offset]);
      }
    }
    return new Positions(found);
  });
}

async function offsetsOf(
  admin: KafkaAdmin,
  topic: string,
  startAt: StartAt,
): Promise<{ partition: number; offset: string }[]> {
  if (typeof startAt === 'object') return admin.fetchTopicOffsetsByTimestamp(topic, startAt.sinceMs);
  const bounds = await topicOffsets(admin, topic);
  return bounds.map(({ partition, low, high }) => ({ partition, offset: startAt === 'now' ? high : low }));
}
