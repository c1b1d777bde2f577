/** What is known at the end of a run, from sources that do not know each other. */
import type { JournalLine } from '../writer/journal';

/** A change that was committed, as the journal's triggers noted it. */
export interface Change {
  readonly aggregate: string;
  /** Counts the changes of the aggregate from 1. */
  readonly version: number;
  /** Names the change and the event that must tell of it: aggregate, event type and what the event says of its row. */
  readonly key: string;
  readonly tag: string;
}

/** A row of the outbox. */
export interface OutboxRow {
  readonly key: string;
  readonly eventId: string;
}

/** A message as it lies in a topic. */
export interface PublishedEvent {
  readonly key: string;
  readonly eventId: string;
  readonly aggregate: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly sequence: bigint;
}

/** Something that a consumer did, in the order of its doing. */
export interface Effect {
  readonly eventId: string;
  readonly topic: string;
}

/** A row of a table as it is at the end. */
export interface TableRow {
  readonly aggregate: string;
  readonly version: number;
}

export interface Evidence {
  readonly changes: readonly Change[];
  readonly outbox: readonly OutboxRow[];
  readonly published: readonly PublishedEvent[];
  readonly effects: readonly Effect[];
  /** Patients and appointments. */
  readonly tables: readonly TableRow[];
  /** What the writers know. */
  readonly transactions: readonly JournalLine[];
  readonly parked: number;
  readonly deadLetters: number;
}

/** Names a change; see Change. */
export function keyOf(aggregate: string, eventType: string, mark: string): string {
  return `${aggregate} ${eventType} ${mark}`.trimEnd();
}
