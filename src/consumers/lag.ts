import { Gauge, type Registry } from 'prom-client';
import { partitionKey } from '../kafka/messages/readMessage';

interface Progress {
  readonly labels: { readonly consumer: string; readonly topic: string; readonly partition: string };
  lag: number;
  /** Since when messages have been left, and the time of the last one that was dealt with; in ms since 1970. */
  behindSince: number | undefined;
  lastAt: number | undefined;
}

/** How far the partitions of all consumers of this process are behind, from one figure to the next. */
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
      'How far a partition is behind in time: since its last message, or since it was last caught up, whichever is later',
      (progress) => this.#seconds(progress),
    );
  }

  /** `lastAt` is the time of the last message that was dealt with, in milliseconds since 1970. */
  set(consumer: string, topic: string, partition: number, lag: number, lastAt?: number): void {
    const key = keyOf(consumer, topic, partition);
    const labels = { consumer, topic, partition: String(partition) };
    const progress = this.#partitions.get(key) ?? { labels, lag, behindSince: undefined, lastAt };
    progress.lag = lag;
    progress.lastAt = lastAt ?? progress.lastAt;
    progress.behindSince = lag === 0 ? undefined : (progress.behindSince ?? this.now());
    this.#partitions.set(key, progress);
  }

  /** Partitions that now belong to other processes are theirs to report. */
  keepOnly(consumer: string, assignment: Readonly<Record<string, readonly number[]>>): void {
    for (const [key, { labels }] of this.#partitions) {
      const ours = assignment[labels.topic]?.includes(Number(labels.partition)) ?? false;
      if (labels.consumer === consumer && !ours) this.#partitions.delete(key);
    }
  }

  #seconds({ behindSince, lastAt = 0 }: Progress): number {
    return behindSince === undefined ? 0 : Math.max(0, this.now() - Math.max(behindSince, lastAt)) / 1_000;
  }
}

const keyOf = (consumer: string, topic: string, partition: number): string =>
  `${consumer} ${partitionKey({ topic, partition })}`;
