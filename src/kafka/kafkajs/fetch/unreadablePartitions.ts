import type { EachBatch } from '../../ports';
import type { Logger } from '../../../shared/logger';
import type { UnreadableBatch } from './batches';
import { takeUnreadable } from './tolerantFetch';

/** A partition that waits before a batch that cannot be read. */
export interface UnreadablePlace extends UnreadableBatch {
  readonly topic: string;
  readonly partition: number;
  /** The last offset that was fetched before it; -1 when there was none. */
  readonly before: bigint;
}

/** Its bytes may have changed after this time, in milliseconds: another broker leads, or the operator went past it. */
const recheckMs = 300_000;

interface UnreadableOptions {
  readonly group: string;
  readonly logger: Logger;
  readonly onUnreadable?: (place: UnreadablePlace) => void;
}

/** The partitions that wait before a batch that cannot be read; each is reported once. */
export class UnreadablePartitions {
  readonly #places = new Map<string, UnreadablePlace>();

  constructor(private readonly options: UnreadableOptions) {}

  /** What of the batch cannot be read: that is taken off its messages, so that those before it can be handled. */
  take({ batch }: EachBatch): UnreadablePlace | undefined {
    const { topic, partition, messages } = batch;
    const found = takeUnreadable(messages);
    if (!found) this.#places.delete(`${topic}/${partition}`);
    return found && { ...found, topic, partition, before: BigInt(messages.at(-1)?.offset ?? -1) };
  }

  /** Call it when everything before the place has been handled. Returns how long its partition is to wait, in ms. */
  report(place: UnreadablePlace): number {
    const { group, logger, onUnreadable } = this.options;
    const key = `${place.topic}/${place.partition}`;
    const known = this.#places.get(key)?.from === place.from;
    this.#places.set(key, place);
    onUnreadable?.(place);
    if (known) return recheckMs;
    const { topic, partition, from, next, codec, reason } = place;
    logger.error(
      { group, topic, partition, offset: from, codec, reason },
      `${describeUnreadable(place)}. The partition waits; others go on. If the batch is lost, go past it with "npx signalbox ops groups reset ${group} --topic ${topic}:${partition} --to-offset ${next}"`,
    );
    return recheckMs;
  }

  /** One line for each, for readiness. */
  list(): string[] {
    return [...this.#places.values()].map(describeUnreadable);
  }

  /** The group hands out its partitions anew: what others read is not ours to report. */
  forget(): void {
    this.#places.clear();
  }
}

/** `healthcore.patient.created/0 cannot be read from offset 42 to 57: a zstd batch, its checksum is wrong`. */
export function describeUnreadable({ topic, partition, from, next, codec, reason }: UnreadablePlace): string {
  return `${topic}/${partition} cannot be read from offset ${from} to ${BigInt(next) - 1n}: compression ${codec}, ${reason}`;
}
