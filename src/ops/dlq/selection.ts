/* Which dead letters a command is about. */
import type { ReadDeadLetter } from '../../kafka/deadLetters/readDeadLetter';
import { UserError } from '../../shared/lifecycle';
import { groupOf } from '../groups/find';
import type { OpsKafkaConfig } from '../kafka';
import { parseTime } from '../parseTime';

export interface FilterOptions {
  readonly group?: string;
  readonly type?: string;
  readonly error?: string;
  readonly since?: string;
}

export interface Selection {
  /** `partition:offset` of each letter that was named; empty for all. */
  readonly places: ReadonlySet<string>;
  readonly eventIds: ReadonlySet<string>;
  /** A group's name, or the name of a consumer of Signalbox. */
  readonly groups?: readonly string[];
  readonly type?: string;
  readonly error?: string;
  readonly sinceMs?: number;
}

const place = /^\d{1,6}:\d{1,18}$/;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws UserError when a name is neither a letter's place nor an event's id, or a time cannot be read. */
export function selectionOf(
  names: readonly string[],
  { group, type, error, since }: FilterOptions,
  config: OpsKafkaConfig,
): Selection {
  const wrong = names.find((name) => !place.test(name) && !uuid.test(name));
  if (wrong !== undefined) {
    throw new UserError(
      `"${wrong}" names no dead letter. Give its partition and offset as 0:42, or the event's id; "dlq list" shows both.`,
    );
  }
  return {
    places: new Set(names.filter((name) => place.test(name))),
    eventIds: new Set(names.filter((name) => uuid.test(name)).map((name) => name.toLowerCase())),
    ...(group === undefined ? {} : { groups: [group, groupOf(group, config)] }),
    ...(type === undefined ? {} : { type }),
    ...(error === undefined ? {} : { error }),
    ...(since === undefined ? {} : { sinceMs: parseTime(since, '--since') }),
  };
}

/** Whether a letter is among those that are meant. */
export function isSelected(letter: ReadDeadLetter, selection: Selection): boolean {
  const { places, eventIds, groups, type, error, sinceMs } = selection;
  const named =
    places.size + eventIds.size === 0 ||
    places.has(`${letter.partition}:${letter.offset}`) ||
    (letter.eventId !== undefined && eventIds.has(letter.eventId.toLowerCase()));
  return (
    named &&
    (groups === undefined || (letter.group !== undefined && groups.includes(letter.group))) &&
    (type === undefined || letter.eventType === type) &&
    (error === undefined || letter.errorClass === error) &&
    (sinceMs === undefined || letter.writtenAt.getTime() >= sinceMs)
  );
}
