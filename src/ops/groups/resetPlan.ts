/* Where a reset puts a group: options in, new offsets out. */
import type { Catalogue } from '../../events/catalogue';
import { selectTopics } from '../../consumers/console/arguments';
import type { GroupPosition } from '../../kafka/groups/groupStates';
import { UserError } from '../../shared/lifecycle';
import { parseTime } from '../parseTime';

export type Target =
  | { readonly kind: 'earliest' | 'latest' }
  | { readonly kind: 'offset'; readonly offset: bigint }
  | { readonly kind: 'time'; readonly ms: number };

export interface TargetOptions {
  readonly toEarliest?: boolean;
  readonly toLatest?: boolean;
  readonly toOffset?: string;
  readonly toDatetime?: string;
}

/** @throws UserError unless exactly one target is given (commander refuses two). */
export function targetOf(options: TargetOptions, nowMs: number): Target {
  if (options.toEarliest) return { kind: 'earliest' };
  if (options.toLatest) return { kind: 'latest' };
  if (options.toDatetime !== undefined) {
    return { kind: 'time', ms: parseTime(options.toDatetime, '--to-datetime', nowMs) };
  }
  if (options.toOffset === undefined) {
    throw new UserError('Say where to: --to-earliest, --to-latest, --to-offset or --to-datetime.');
  }
  if (!/^\d{1,18}$/.test(options.toOffset)) {
    throw new UserError(`--to-offset "${options.toOffset}" is not an offset. Give a whole number from 0 on.`);
  }
  return { kind: 'offset', offset: BigInt(options.toOffset) };
}

/** A topic, and which of its partitions; undefined for all. */
export interface TopicChoice {
  readonly topic: string;
  readonly partitions?: readonly number[];
}

/** Reads `patient.created`, `patient.*`, `a.topic:0,2`. @throws UserError when it cannot be read. */
export function parseChoices(catalogue: Catalogue, texts: readonly string[], prefix: string): TopicChoice[] {
  return texts.flatMap((text) => {
    const match = /^([^:]+?)(?::(\d{1,6}(?:,\d{1,6})*))?$/.exec(text);
    if (!match) {
      throw new UserError(`--topic "${text}" is not a topic. Write patient.created, or patient.created:0,2.`);
    }
    const [, name = '', list] = match;
    const partitions = list?.split(',').map(Number);
    return selectTopics(catalogue, [name], prefix).topics.map((topic) => ({
      topic,
      ...(partitions ? { partitions } : {}),
    }));
  });
}

/** A partition's place in a reset. */
export interface Move {
  readonly topic: string;
  readonly partition: number;
  readonly from: bigint | null;
  readonly to: bigint;
  /** Messages that are read again, and such that are never read. */
  readonly again: bigint;
  readonly skipped: bigint;
}

/** The new place of a partition. An offset outside of what Kafka keeps is moved to its nearest end. */
export function moveOf(position: GroupPosition, target: Target, atTime: bigint | undefined): Move {
  const { topic, partition, committed, low, high } = position;
  const wanted = {
    earliest: () => low,
    latest: () => high,
    offset: () => (target.kind === 'offset' ? target.offset : low),
    time: () => atTime ?? high,
  }[target.kind]();
  const to = wanted < low ? low : wanted > high ? high : wanted;
  const from = committed === null || committed < low ? low : committed;
  return {
    topic,
    partition,
    from: committed,
    to,
    again: to < from ? from - to : 0n,
    skipped: to > from ? to - from : 0n,
  };
}
