import type { Faults } from './check';
import type { Evidence } from './evidence';

type Judged = Pick<Faults, 'effectsLost' | 'effectsDoubled' | 'effectsOutOfNowhere' | 'effectsOutOfOrder'>;

/** What lies in the topics against what consumers made of it. */
export function judgeConsumers({ changes, published, effects }: Evidence): Judged {
  const versions = new Map(changes.map(({ key, version }) => [key, version]));
  const events = new Map(published.map((event) => [event.eventId, event]));
  const counts = new Map<string, number>();
  for (const { eventId } of effects) counts.set(eventId, (counts.get(eventId) ?? 0) + 1);
  const name = (eventId: string): string => `${events.get(eventId)?.key ?? '?'} (${eventId})`;
  const last = new Map<string, number>();
  const effectsOutOfOrder: string[] = [];
  for (const { eventId, topic } of effects) {
    const event = events.get(eventId);
    const version = event && versions.get(event.key);
    if (!event || version === undefined) continue;
    const place = `${topic} ${event.aggregate}`;
    const before = last.get(place) ?? 0;
    if (version < before) effectsOutOfOrder.push(`${name(eventId)} after version ${before}`);
    last.set(place, Math.max(before, version));
  }
  return {
    effectsLost: [...events.keys()].filter((eventId) => !counts.has(eventId)).map(name),
    effectsDoubled: [...counts]
      .filter(([, count]) => count > 1)
      .map(([eventId, count]) => `${name(eventId)}: ${count} times`),
    effectsOutOfNowhere: [...counts.keys()].filter((eventId) => !events.has(eventId)).map(name),
    effectsOutOfOrder,
  };
}
