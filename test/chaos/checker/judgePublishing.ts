import type { Faults } from './check';
import type { Change, Evidence, PublishedEvent } from './evidence';

type Judged = Pick<
  Faults,
  'lost' | 'invented' | 'toldTwice' | 'outOfOrder' | 'sequenceWrong' | 'notCaptured' | 'capturedForNothing'
>;

/** Changes against the outbox and the topics. */
export function judgePublishing({ changes, outbox, published }: Evidence): Judged {
  const byKey = new Map(changes.map((change) => [change.key, change]));
  const captured = new Set(outbox.map(({ key }) => key));
  const firsts = firstCopies(published);
  const told = new Set(firsts.map(({ key }) => key));
  return {
    lost: changes.filter(({ key }) => !told.has(key)).map(({ key }) => key),
    invented: firsts.filter(({ key }) => !byKey.has(key)).map(label),
    toldTwice: [...repeatedKeys(outbox), ...repeatedKeys(firsts)],
    outOfOrder: outOfOrder(firsts, byKey),
    sequenceWrong: sequenceWrong(firsts, byKey),
    notCaptured: changes.filter(({ key }) => !captured.has(key)).map(({ key }) => key),
    capturedForNothing: [...captured].filter((key) => !byKey.has(key)),
  };
}

/** The first copy of each event, in the order in which topics and their partitions hold them. */
function firstCopies(published: readonly PublishedEvent[]): PublishedEvent[] {
  const seen = new Set<string>();
  return [...published]
    .sort(
      (a, b) => a.topic.localeCompare(b.topic) || a.partition - b.partition || Number(a.offset - b.offset),
    )
    .filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId));
}

function repeatedKeys(events: readonly { readonly key: string; readonly eventId: string }[]): string[] {
  const ids = new Map<string, string>();
  const repeated: string[] = [];
  for (const { key, eventId } of events) {
    const other = ids.get(key);
    if (other !== undefined && other !== eventId) repeated.push(`${key} (${other}, ${eventId})`);
    ids.set(key, eventId);
  }
  return repeated;
}

/** Within a topic; a second partition for one key would break the order as well. */
function outOfOrder(firsts: readonly PublishedEvent[], byKey: ReadonlyMap<string, Change>): string[] {
  const last = new Map<string, { version: number; partition: number }>();
  const wrong: string[] = [];
  for (const event of firsts) {
    const version = byKey.get(event.key)?.version;
    if (version === undefined) continue;
    const place = `${event.topic} ${event.aggregate}`;
    const before = last.get(place);
    if (before && (version < before.version || event.partition !== before.partition)) {
      wrong.push(`${label(event)} after version ${before.version} in partition ${before.partition}`);
    }
    last.set(place, { version, partition: event.partition });
  }
  return wrong;
}

function sequenceWrong(firsts: readonly PublishedEvent[], byKey: ReadonlyMap<string, Change>): string[] {
  const known = firsts.flatMap((event) => {
    const version = byKey.get(event.key)?.version;
    return version === undefined ? [] : [{ ...event, version }];
  });
  known.sort((a, b) => a.aggregate.localeCompare(b.aggregate) || a.version - b.version);
  return known
    .filter((event, index) => {
      const before = known[index - 1];
      return before?.aggregate === event.aggregate && before.sequence >= event.sequence;
    })
    .map((event) => `${label(event)} with sequence ${event.sequence}`);
}

const label = ({ key, topic, partition, offset, eventId }: PublishedEvent): string =>
  `${key} (${eventId}) at ${topic}/${partition}@${offset}`;
