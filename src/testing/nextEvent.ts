import type { EventEnvelope } from '../events/envelope';
import { sleep } from '../shared/sleep';
import { eventsSince, markLog, type OutboxReader } from './readEvents';

/** How long to wait, in milliseconds. */
export interface Patience {
  readonly timeoutMs?: number;
}

const defaultTimeoutMs = 5_000;
const pollMs = 10;

/**
 * Waits for the first event of a type that is committed after the call: for what happens in the background. `work` is
 * begun when the waiting has, so that nothing of it is missed.
 * @throws Error when none has come in time; it names the types of those that have. What the work throws.
 */
export async function nextEvent(
  client: OutboxReader,
  eventType: string,
  work: () => unknown = () => undefined,
  { timeoutMs = defaultTimeoutMs }: Patience = {},
): Promise<EventEnvelope> {
  const mark = await markLog(client);
  await work();
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const events = await eventsSince(client, mark);
    const found = events.find(({ event_type }) => event_type === eventType);
    if (found) return found;
    if (performance.now() >= deadline) throw new Error(described(eventType, timeoutMs, events));
    await sleep(pollMs);
  }
}

function described(eventType: string, timeoutMs: number, events: readonly EventEnvelope[]): string {
  const others = [...new Set(events.map(({ event_type }) => event_type))].join(', ');
  return `No event "${eventType}" was committed within ${timeoutMs} ms; others were: ${others || 'none'}.`;
}
