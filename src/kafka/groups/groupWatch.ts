/*
 * What a member of a group cannot see in the messages that it gets: how far its partitions have grown while it stands
 * still, that a topic has been given more partitions, and that Kafka does not answer any more. kafkajs notices the
 * second after five minutes and the third after almost two.
 */
import type { KafkaAdmin } from '../ports';
import { sleep } from '../../shared/sleep';
import type { GroupConsumerOptions } from './groupConsumerOptions';
import { partitionKey } from '../messages/readMessage';
import { withAdmin } from '../withAdmin';

type Assignment = Readonly<Record<string, readonly number[]>>;

/** Time between two looks, and the longest that one may take, in milliseconds. */
const intervalMs = 4_000;
const answerWithinMs = 5_000;

type Options = Pick<GroupConsumerOptions, 'kafka' | 'group' | 'logger' | 'fromBeginning' | 'onLag'>;

export class GroupWatch {
  #answeredAt: number | undefined;
  #assignment: Assignment = {};
  /** By partition, the offset after the last message that was dealt with. */
  readonly #next = new Map<string, bigint>();

  constructor(private readonly options: Options) {}

  /** Milliseconds since Kafka last answered; 0 while nothing is watched. */
  get silentMs(): number {
    return this.#answeredAt === undefined ? 0 : performance.now() - this.#answeredAt;
  }

  /** The group has handed out its partitions anew. */
  assigned(assignment: Assignment): void {
    this.#assignment = assignment;
    this.#next.clear();
  }

  /** The member has dealt with what comes before this offset. */
  passed(place: { readonly topic: string; readonly partition: number }, next: bigint): void {
    this.#next.set(partitionKey(place), next);
  }

  /**
   * Resolves when one of the topics has more partitions than at first, or the signal is aborted: only a member that
   * joins anew hears of partitions that were added.
   */
  async untilGrown(topics: readonly string[], signal: AbortSignal): Promise<void> {
    const { logger, group } = this.options;
    this.#answeredAt = performance.now();
    let first: ReadonlyMap<string, number> | undefined;
    while (!signal.aborted) {
      try {
        const counts = await this.#look(topics, signal);
        this.#answeredAt = performance.now();
        first ??= counts;
        const grown = topics.filter((topic) => (counts.get(topic) ?? 0) > (first?.get(topic) ?? 0));
        if (grown.length > 0) {
          logger.info({ group, topics: grown }, 'there are more partitions; joining anew');
          break;
        }
      } catch (error) {
        logger.debug({ err: error, group }, 'Kafka could not be asked');
      }
      await sleep(intervalMs, signal);
    }
    this.#answeredAt = undefined;
  }

  /** Resolves to the number of partitions of each topic. Rejects when Kafka does not answer in time. */
  async #look(topics: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const over = new AbortController();
    const late = sleep(answerWithinMs, AbortSignal.any([signal, over.signal])).then(() => {
      throw new Error(`no answer within ${answerWithinMs} ms`);
    });
    // It loses the race more often than not.
    late.catch(() => undefined);
    const asked = withAdmin(this.options.kafka, async (admin) => {
      const metadata = await admin.fetchTopicMetadata({ topics: [...topics] });
      await this.#reportLag(admin);
      return new Map(metadata.topics.map(({ name, partitions }) => [name, partitions.length]));
    });
    try {
      return await Promise.race([asked, late]);
    } finally {
      over.abort();
    }
  }

  async #reportLag(admin: KafkaAdmin): Promise<void> {
    const assignment = this.#assignment;
    const { group, fromBeginning, onLag } = this.options;
    const topics = Object.keys(assignment).filter((topic) => assignment[topic]?.length);
    if (!onLag || topics.length === 0) return;
    const committed = await committedOffsets(admin, group, topics);
    // One after the other: kafkajs forgets topics that it is asked for at the same time.
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        // Asked anew: the group may have handed out its partitions since.
        if (!this.#assignment[topic]?.includes(partition)) continue;
        const from = committed.get(partitionKey({ topic, partition })) ?? BigInt(fromBeginning ? low : high);
        const done = this.#next.get(partitionKey({ topic, partition })) ?? from;
        onLag({ topic, partition, lag: Math.max(0, Number(BigInt(high) - done)) });
      }
    }
  }
}

async function committedOffsets(
  admin: KafkaAdmin,
  groupId: string,
  topics: string[],
): Promise<ReadonlyMap<string, bigint>> {
  const found = await admin.fetchOffsets({ groupId, topics });
  return new Map(
    found.flatMap(({ topic, partitions }) =>
      partitions
        .filter(({ offset }) => BigInt(offset) >= 0n)
        .map(({ partition, offset }) => [partitionKey({ topic, partition }), BigInt(offset)] as const),
    ),
  );
}
