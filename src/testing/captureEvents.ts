import type { EventEnvelope } from '../events/envelope';
import { eventsSince, markLog, type OutboxReader } from './readEvents';

/**
 * Does a piece of work and returns the events that it has committed, in their order: as consumers will get them.
 *
 * What others commit to the same database meanwhile is among them: give each test file a database of its own, or look at
 * `metadata.correlation_id`.
 * @param client any Prisma client of the database, in a role that may read the outbox.
 * @throws what the work throws.
 */
export async function captureEvents(
  client: OutboxReader,
  work: () => Promise<unknown>,
): Promise<EventEnvelope[]> {
  const mark = await markLog(client);
  await work();
  return eventsSince(client, mark);
}
