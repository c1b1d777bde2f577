import type { Catalogue } from '../../events/catalogue';
import type { StartAt } from '../../kafka/groups/positions';
import { deadLetterTopic, topicOf } from '../../kafka/topics/topicNames';
import { UserError } from '../../shared/lifecycle';
import { type Filter, parseFilter } from './filter';

const units = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/**
 * Reads `10m`, `2h`, `3d`, `30s` (so long ago) or a date and time, into milliseconds since 1970.
 * @throws UserError for anything else.
 */
export function parseSince(text: string, nowMs: number): number {
  const ago = /^(\d{1,9})([smhd])$/.exec(text);
  if (ago) return nowMs - Number(ago[1]) * units[ago[2] as keyof typeof units];
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) {
    throw new UserError(
      `--since "${text}" is not a time. Give 30s, 10m, 2h, 3d or a date as 2026-01-05T19:00:00Z.`,
    );
  }
  return time;
}

/** @throws UserError when one has no `=`. */
export function parseFilters(texts: readonly string[]): Filter[] {
  return texts.map((text) => {
    const filter = parseFilter(text);
    if (!filter)
      throw new UserError(`--filter "${text}" is not a condition. Write it as data.status=CANCELLED.`);
    return filter;
  });
}

/** @throws UserError unless it is a whole number above zero. */
export function parseLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1) {
    throw new UserError(`--limit "${text}" is not a number of messages. Give a whole number from 1 on.`);
  }
  return limit;
}

/** Where reading begins. @throws UserError when both ways are named. */
export function startOf(options: { fromBeginning?: boolean; since?: string }, nowMs: number): StartAt {
  if (options.fromBeginning && options.since !== undefined) {
    throw new UserError('--from-beginning and --since exclude each other. Give one of them.');
  }
  if (options.since !== undefined) return { sinceMs: parseSince(options.since, nowMs) };
  return options.fromBeginning ? 'beginning' : 'now';
}

export interface Selection {
  readonly topics: readonly string[];
  /** Of dead letters, show those that were meant for these topics; undefined for all. */
  readonly originalTopics?: readonly string[];
}

/** The topics that arguments name: event types (`patient.*` for several), or topics; none means all event types. */
export function selectTopics(
  catalogue: Catalogue,
  names: readonly string[],
  prefix: string,
  deadLetters = false,
): Selection {
  const named = names.flatMap((name) => topicsNamed(catalogue, name, prefix));
  if (deadLetters) {
    return { topics: [deadLetterTopic(prefix)], ...(named.length > 0 ? { originalTopics: named } : {}) };
  }
  return {
    topics: [
      ...new Set(named.length > 0 ? named : catalogue.eventTypes.map((type) => topicOf(prefix, type))),
    ],
  };
}

function topicsNamed(catalogue: Catalogue, name: string, prefix: string): string[] {
  if (catalogue.find(name)) return [topicOf(prefix, name)];
  if (!name.endsWith('.*')) return [name];
  const found = catalogue.eventTypes.filter((type) => type.startsWith(name.slice(0, -1)));
  if (found.length === 0) throw new UserError(`"${name}" fits no event type. ${knownTypes(catalogue)}`);
  return found.map((type) => topicOf(prefix, type));
}

/** Topics that our own programs create sooner or later: worth waiting for. */
export function isExpected({ eventTypes }: Catalogue, topic: string, prefix: string): boolean {
  return topic === deadLetterTopic(prefix) || eventTypes.some((type) => topicOf(prefix, type) === topic);
}

/** For errors about a name that is none. */
export function knownTypes({ eventTypes }: Catalogue): string {
  return `Event types: ${eventTypes.join(', ')}.`;
}
