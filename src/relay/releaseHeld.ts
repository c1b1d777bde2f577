import type { Pool } from 'pg';
import { topicOf } from '../kafka/topics/topicNames';
import { readBlocked, readReleasable, settleReleased } from '../outbox/log/parked';
import type { LaneLeases } from './leases';
import { type Publication, publishInOrder, type PublishOptions } from './publishInOrder';

export interface ReleaseOptions {
  readonly database: Pool;
  readonly leases: LaneLeases;
  readonly publishing: PublishOptions;
  /** Most events at a time. */
  readonly rows: number;
}

export interface Released extends Publication {
  /** Whether more may be waiting. */
  readonly more: boolean;
}

/**
 * Publishes held events that nothing stands before any more: an operator has retried (made "held") or discarded the
 * parked event before them, or their topic can be used by now. To be called between two looks at the outbox, so that no
 * later event of the aggregate is on its way. A crash half-way repeats events, as everywhere.
 */
export async function releaseHeld({ database, leases, publishing, rows }: ReleaseOptions): Promise<Released> {
  const lanes = leases.current();
  const numbers = lanes.map(({ lane }) => lane);
  const pass = publishing.policy === 'pass';
  const events = await readReleasable(database, numbers, {
    pass,
    except: typesInTrouble(publishing),
    rows,
    dataBytes: publishing.maxMessageBytes,
  });
  // Nothing is blocked to begin with: what stood before these is gone, and what fails now blocks the rest of them.
  const blocked = new Set<string>();
  const publication = await publishInOrder(
    events.map((row) => ({ row, blocked })),
    publishing,
  );
  const again = new Set(publication.setAside.map(({ row }) => row));
  const published = events.slice(0, publication.done).filter((row) => !again.has(row));
  if (publication.done > 0) {
    const { lost } = await settleReleased(database, leases.owner, lanes, published, publication.setAside);
    leases.lose(lanes.filter(({ lane }) => lost.includes(lane)));
  }
  const stillBlocked = await readBlocked(database, numbers, pass);
  for (const lane of lanes) lane.blocked = stillBlocked.get(lane.lane) ?? new Set();
  return { ...publication, more: events.length === rows && published.length > 0 };
}

function typesInTrouble({ catalogue, publisher, topicPrefix }: PublishOptions): string[] {
  return catalogue.eventTypes.filter((type) => publisher.topicTroubles.has(topicOf(topicPrefix, type)));
}
