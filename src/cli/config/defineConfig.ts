import type { z } from 'zod';
import type { ConsumerDefinition } from '../../consumers/definition';
import type { ClientOptions } from '../../consumers/client';
import type { Transaction } from '../../consumers/transaction';
import type { Catalogue } from '../../events/catalogue';
import type { ErasureSubject } from '../../ops/erase/subject';
import type { PrismaClientLike } from '../../outbox/prisma/captured';
import type { CaptureEngineName } from '../../outbox/prisma/engineName';

/** A project, as `signalbox.config.ts` describes it. */
export interface SignalboxConfig<
  C extends Catalogue = Catalogue,
  Client extends PrismaClientLike = PrismaClientLike,
  Variables extends z.ZodRawShape = z.ZodRawShape,
  Tx extends Transaction = Transaction,
> {
  /** The project's name: the default of KAFKA_TOPIC_PREFIX and CONSUMER_GROUP_PREFIX. */
  readonly name: string;
  readonly catalogue: C;
  /** The Prisma schema, its file or the folder of its files; by default where Prisma looks for it. */
  readonly schema?: string;
  /** The folder of migrations; `prisma/migrations` by default. */
  readonly migrations?: string;
  /** The default of OUTBOX_CAPTURE; `trigger` by default. */
  readonly capture?: CaptureEngineName;
  /** Makes the client of the consumers. A project without consumers needs none. */
  readonly createClient?: (options: ClientOptions) => Client | Promise<Client>;
  /** What `npx signalbox consumers` runs. */
  readonly consumers?: readonly ConsumerDefinition<z.output<z.ZodObject<Variables>>, Client, C, Tx>[];
  /** The project's own environment variables, by name: consumers are handed them, `doctor` checks them. */
  readonly variables?: Variables;
  /** Whose data `npx signalbox ops erase` erases. */
  readonly erasure?: readonly ErasureSubject[];
}

/** Any project's configuration: which handler fits which client is checked where it is defined. */
export type AnyConfig = SignalboxConfig<Catalogue, never, z.ZodRawShape, never>;

/** What the client's `$transaction(async (tx) => …)` passes. */
type TransactionOf<Client> = Client extends {
  $transaction(work: (tx: infer Tx) => Promise<unknown>): unknown;
}
  ? Tx extends Transaction
    ? Tx
    : Transaction
  : Transaction;

/**
 * Describes a project, as the default export of `signalbox.config.ts`. The compiler checks that its parts fit: handlers
 * know the catalogue's events, and a transaction of the client that `createClient` makes.
 */
export function defineConfig<
  C extends Catalogue,
  Client extends PrismaClientLike,
  Variables extends z.ZodRawShape,
  Tx extends Transaction = TransactionOf<Client>,
>(config: SignalboxConfig<C, Client, Variables, Tx>): SignalboxConfig<C, Client, Variables, Tx> {
  return config;
}
