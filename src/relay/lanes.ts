import type { Cursor } from '../outbox/log/cursor';

/** A lane that this relay publishes, with what it has to remember of it. */
export interface OwnedLane {
  readonly lane: number;
  /** The lease's number; what is settled under an older one changes nothing. */
  readonly epoch: string;
  /** How far it is published. May be ahead of the table where nothing lies between. */
  cursor: Cursor;
  /** Aggregates of which events are set aside. */
  blocked: Set<string>;
}

/** How many of `laneCount` lanes are `id`'s share, when these relays share them evenly. */
export function shareOf(id: string, sharing: readonly string[], laneCount: number): number {
  const index = sharing.indexOf(id);
  if (index < 0) return 0;
  const share = Math.floor(laneCount / sharing.length);
  return share + (index < laneCount % sharing.length ? 1 : 0);
}
