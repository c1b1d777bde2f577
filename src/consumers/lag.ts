import { Gauge, type Registry } from 'prom-client';
import type { PartitionLag } from '../kafka/groups/partitionLag';
import { partitionKey } from '../kafka/messages/readMessage';

type Assignment = Readonly<Record<string, readonly number[]>>;

interface Progress {
  readonly labels: { readonly consumer: string; readonly topic: string; readonly partition: string };
  readonly lag: number;
  /** The time of the oldest message that is left, in milliseconds since 1970; undefined when none is. */
  readonly oldestAt: number | undefined;
}

/**
 * How far the partitions of all consumers of this process are behind, from one report to the next. The age of the oldest
 * message that is left is computed whenever the figures are asked for, so it grows while a consumer stands still.
 */
export class LagFigures {
  readonly #partitions = new Map<string, Progress>();

  constructor(
    registry: Registry,
    private readonly now: () => number = Date.now,
  ) {
    const labelNames = ['consumer', 'topic', 'partition'] as const;
    const gauge = (name: string, help: string, valueOf: (progress: Progress) => number): void => {
      const created: Gauge<(typeof labelNames)[number]> = new Gauge({
        name,
        help,
        labelNames,
        collect: () => {
          created.reset();
          for (const progress of this.#partitions.values()) created.set(progress.labels, valueOf(progress));
        },
        registers: [registry],
      });
    };
    gauge(
      'signalbox_consumer_lag',
      'Messages of a partition that are not yet processed; a partition is reported by the process that has it',
      ({ lag }) => lag,
    );
    gauge(
      'signalbox_consumer_lag_seconds',
      "Age of a partition's oldest message that is not yet processed, 0 when there is none; also while the consumer stands still",
      (progress) => this.#seconds(progress),
    );
  }

  /**
   * Notes a report. Between two batches the time of the oldest message is not known: it is taken to be that of the oldest
   * before, so that the age never falls to 0 while a backlog is worked through. Where nothing was left before, it counts
   * from now.
   */
  set(consumer: string, { topic, partition, lag, oldestAt }: PartitionLag): void {
    const key = `${consumer} ${partitionKey({ topic, partition })}`;
    const before = this.#partitions.get(key);
    this.#partitions.set(key, {
      labels: { consumer, topic, partition: String(partition) },
      lag,
      oldestAt: lag === 0 ? undefined : (oldestAt ?? before?.oldestAt ?? this.now()),
    });
  }

  /** Partitions that now belong to other processes are theirs to report. */
  keepOnly(consumer: string, assignment: Assignment): void {
    for (const [key, { labels }] of this.#partitions) {
      const ours = assignment[labels.topic]?.includes(Number(labels.partition)) ?? false;
      if (labels.consumer === consumer && !ours) this.#partitions.delete(key);
    }
  }

  #seconds({ oldestAt }: Progress): number {
    return oldestAt === undefined ? 0 : Math.max(0, this.now() - oldestAt) / 1_000;
  }
}
