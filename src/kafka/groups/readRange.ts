/*
 * Reads a fixed stretch of some partitions, and ends.
 *
 * Kafka's protocol wants some group: it is one of a random name, which commits nothing and is removed at the end. The
 * ends are those that the caller found before, so that a topic which is being written to comes to an end too.
 */
import { randomUUID } from 'node:crypto';
import type { KafkaClient } from '../ports';
import { UserError } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import { sleep } from '../../shared/sleep';
import { GroupConsumer } from './groupConsumer';
import { deleteGroup } from './deleteGroup';
import { describeUnreadable } from '../kafkajs/fetch/unreadablePartitions';
import { Positions } from './positions';
import { partitionKey, type ReceivedMessage } from '../messages/readMessage';
import { topicOffsets } from '../topics/topicOffsets';
import { withAdmin } from '../withAdmin';

/** The messages of a partition from an offset up to, and without, another. */
export interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint;
  readonly to: bigint;
}

export interface ReadRangeOptions {
  readonly kafka: KafkaClient;
  readonly logger: Logger;
  readonly ranges: readonly Range[];
  /** Called for one message at a time, those of a partition in order. */
  readonly onMessage: (message: ReceivedMessage) => Promise<void> | void;
  /** Longest time without any message before this gives up, in milliseconds. */
  readonly stallMs?: number;
}

/** How many messages the ranges hold, at most. */
export function countRanges(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + (to > from ? Number(to - from) : 0), 0);
}

/** @throws UserError when nothing arrives for `stallMs` although there should be something, or a batch is unreadable. */
export async function readRange(options: ReadRangeOptions): Promise<void> {
  const open = new Map(
    options.ranges.filter(({ from, to }) => to > from).map((range) => [partitionKey(range), range]),
  );
  if (open.size === 0) return;
  const watch = { lastMs: performance.now(), ended: new AbortController(), failure: undefined as unknown };
  const reader = await createReader(options, open, watch);
  try {
    await reader.start();
    await Promise.race([untilEnd(watch, options, open), reader.failed]);
  } finally {
    await reader.stop();
    await deleteGroup(options.kafka, reader.group);
  }
  if (watch.failure !== undefined) throw watch.failure;
}

interface Watch {
  lastMs: number;
  readonly ended: AbortController;
  /** What `onMessage` threw. */
  failure: unknown;
}

async function createReader(
  { kafka, logger, onMessage, ranges }: ReadRangeOptions,
  open: Map<string, Range>,
  watch: Watch,
): Promise<GroupConsumer> {
  const topics = [...new Set([...open.values()].map(({ topic }) => topic))];
  const handle = async (message: ReceivedMessage): Promise<void> => {
    const range = open.get(partitionKey(message));
    if (!range) return;
    const offset = BigInt(message.offset);
    watch.lastMs = performance.now();
    if (offset >= range.from && offset < range.to) await onMessage(message);
    if (offset + 1n >= range.to) open.delete(partitionKey(message));
    if (open.size === 0) watch.ended.abort();
  };
  return new GroupConsumer({
    kafka,
    group: `ops-${randomUUID()}`,
    topics,
    logger,
    fromBeginning: true,
    sessionTimeoutMs: 10_000,
    partitionsAtOnce: 1,
    retryMaxMs: 2_000,
    commit: false,
    positions: await startingPositions(kafka, topics, ranges),
    onUnreadable: (place) => {
      if (!open.has(partitionKey(place))) return;
      watch.failure = new UserError(`${describeUnreadable(place)}.`);
      watch.ended.abort();
    },
    handle: async (message) => {
      if (watch.ended.signal.aborted) return { kind: 'again', afterMs: 1_000 };
      try {
        await handle(message);
        return { kind: 'done' };
      } catch (error) {
        watch.failure = error;
        watch.ended.abort();
        return { kind: 'again', afterMs: 1_000 };
      }
    },
  });
}

/** Partitions of the same topics of which nothing is wanted begin at their end. */
function startingPositions(
  kafka: KafkaClient,
  topics: readonly string[],
  ranges: readonly Range[],
): Promise<Positions> {
  return withAdmin(kafka, async (admin) => {
    const found: [string, string][] = [];
    for (const topic of topics) {
      for (const { partition, high } of await topicOffsets(admin, topic)) {
        const key = partitionKey({ topic, partition });
        const range = ranges.find((one) => partitionKey(one) === key && one.to > one.from);
        found.push([key, range ? String(range.from) : high]);
      }
    }
    return new Positions(found);
  });
}

async function untilEnd(
  watch: Watch,
  { stallMs = 60_000 }: ReadRangeOptions,
  open: ReadonlyMap<string, Range>,
): Promise<void> {
  while (!watch.ended.signal.aborted) {
    const leftMs = watch.lastMs + stallMs - performance.now();
    if (leftMs <= 0) {
      const seconds = Math.round(stallMs / 1_000);
      throw new UserError(
        `Nothing could be read of ${[...open.keys()].join(', ')} for ${seconds} s. Is Kafka well? Try "npx signalbox doctor".`,
      );
    }
    await sleep(leftMs, watch.ended.signal);
  }
}
