import type { ClientBase } from 'pg';

/** The connection on which an erasure runs, in its transaction. */
export type ErasureConnection = Pick<ClientBase, 'query'>;

/** Whose data are to be erased, and the events in which they may stand. */
export interface Subject {
  readonly id: string;
  /** The field of events' data that names the subject, where it is not the aggregate. */
  readonly dataField: string;
  /** The subject's aggregates: what its events and commands are about. */
  readonly aggregates: readonly AggregateRef[];
}

/** An aggregate, as events name it: ids alone may be those of several aggregates. */
export interface AggregateRef {
  readonly type: string;
  readonly id: string;
}

/** Returns an event's data without what they say of persons, as the catalogue says. */
export type EraseEvent = (eventType: string, data: Record<string, unknown>) => Record<string, unknown>;

/** A place of the application's own where a subject's data may lie. */
export interface ErasurePlace {
  readonly name: string;
  /** Erases what is there and returns the number of rows that held something. */
  readonly erase: (
    connection: ErasureConnection,
    subject: Subject,
    eraseEvent: EraseEvent,
  ) => Promise<number>;
}

/** A kind of person (or other subject) whose data can be erased. The package knows the outbox and postponed events. */
export interface ErasureSubject {
  /** As the command is called: `ops erase <type> <id>`. */
  readonly type: string;
  /** The field of events' data that names the subject, e.g. `patient_id`. */
  readonly dataField: string;
  /** The id in the form in which it is stored; undefined for what cannot be one. */
  readonly normalize: (id: string) => string | undefined;
  /** How an id looks, for the error: "a UUID". */
  readonly idForm: string;
  /** Finds the subject's aggregates, its own included, wherever they are still known. */
  readonly find: (
    connection: ErasureConnection,
    id: string,
  ) => Promise<{
    /** Whether the application still has the subject: an erasure is for what a deletion leaves behind. */
    readonly exists: boolean;
    readonly aggregates: readonly AggregateRef[];
  }>;
  /** How the subject is deleted, for the error when it still exists. */
  readonly deletion: (id: string) => string;
  readonly places?: readonly ErasurePlace[];
}
