import type { ITXClientDenyList } from '@prisma/client/runtime/client';
import type { Catalogue, CommandType, EventData } from '../../events/catalogue';
import type { Logger } from '../../shared/logger';
import type { FittingCatalogue } from './catalogueFits';

/* The types of a client with capture: the same for both engines, any generated client and any catalogue. */

/** What capture needs of a Prisma client: clients of both generators have it, extended or not. */
export interface PrismaClientLike {
  readonly $transaction: (...input: never) => unknown;
  readonly $extends: (extension: never) => unknown;
  $queryRawUnsafe(sql: string, ...parameters: unknown[]): PromiseLike<unknown>;
  $disconnect(): Promise<void>;
}

/** Options of both engines, besides the catalogue. */
export interface CaptureOptions {
  /** `metadata.source` of the events: the service's name. */
  readonly source: string;
  /** Where faults are said that have no caller; by default lines of JSON on standard output, from warnings on. */
  readonly logger?: Logger | undefined;
  /** Called after the commit of a transaction that appended events: nudge the relay. What it throws is logged. */
  readonly onCommitted?: () => void;
}

/** The catalogue, where it fits the client's models; else the compiler refuses it with the sentences that say why. */
export interface CatalogueOption<Client, Cat extends Catalogue> {
  readonly catalogue: FittingCatalogue<Client, Cat>;
}

/** Appends the events that no change of a row means. */
export interface Appending<Cat extends Catalogue> {
  /**
   * Appends an explicit event in the caller's interactive transaction.
   * @throws CaptureError outside one, or when the data does not fit the catalogue.
   */
  $append<T extends CommandType<Cat>>(
    eventType: T,
    event: { aggregateId: string; data: EventData<Cat, T> },
  ): Promise<{ eventId: string }>;
}

interface Transacting<Client extends PrismaClientLike, Cat extends Catalogue> {
  $transaction<R>(
    work: (tx: CapturedTransaction<Client, Cat>) => Promise<R>,
    options?: TransactionOptions<Client>,
  ): Promise<R>;
}

/** The options of the client's own `$transaction(async (tx) => …)`, with the isolation levels that it knows. */
type TransactionOptions<Client extends PrismaClientLike> = Parameters<Client['$transaction']>[1];

/** What `$transaction(async (tx) => …)` passes. */
export type CapturedTransaction<Client extends PrismaClientLike, Cat extends Catalogue> = Transacting<
  Client,
  Cat
> &
  Appending<Cat> &
  Omit<Client, ITXClientDenyList>;

/** A Prisma client whose writes leave their events in the outbox: the client as it was, and `$append`. */
export type Captured<Client extends PrismaClientLike, Cat extends Catalogue> = Transacting<Client, Cat> &
  Appending<Cat> &
  Client;
