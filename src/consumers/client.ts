import type { PrismaClientLike } from '../outbox/prisma/captured';
import type { CaptureEngineName } from '../outbox/prisma/engineName';
import type { Logger } from '../shared/logger';
import type { ConsumerDatabase } from './transact';

/** A Prisma client through which handlers write, captured or not. `Tx` is what its transactions pass. */
export type ConsumerClient<Tx = never> = ConsumerDatabase<Tx> & PrismaClientLike;

/** What the client of the consumers is made with. */
export interface ClientOptions {
  readonly databaseUrl: string;
  /** Connections that it may hold. */
  readonly poolSize: number;
  /** Whether statements may be prepared; false behind a pooler that cannot keep them. */
  readonly preparedStatements: boolean;
  /** The name that Postgres shows for its connections. */
  readonly applicationName: string;
  /** The engine that OUTBOX_CAPTURE names. */
  readonly engine: CaptureEngineName;
  /** `metadata.source` of the events that handlers append. */
  readonly source: string;
  readonly logger: Logger;
  /** To be called after the commit of a transaction that appended events: the relay reads the outbox at once then. */
  readonly onCommitted: () => void;
}
