import { PrismaPg } from '@prisma/adapter-pg';
import {
  DriverAdapterError,
  type IsolationLevel,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import type { PoolConfig } from 'pg';
import { parseDatabaseUrl } from './connections/databaseUrl';
import { sessionOf } from './connections/session';
import { SessionClient } from './connections/sessionClient';
import { superviseConnections } from './connections/supervise';
import { explainStaleTriggers } from './staleTriggers';

/*
 * Prisma may end a transaction while one of its operations is under way: at a time-out, or in $disconnect. An operation
 * of several statements (a nested write, say) goes on all the same, and Prisma 7.10 sends the rest of them on the same
 * connection, behind the ROLLBACK. There they are no part of the transaction any more: each commits by itself, or in
 * whoever's transaction has been given the connection since. So half an operation would stay although all of it was
 * rolled back, and whoever took the images around it (src/outbox/capture) would write no event for that half.
 */

type AdapterOptions = ConstructorParameters<typeof PrismaPg>[1];

/** A pool's settings with the class of its connections, as `createAdapter` makes them, or with the URL to make it of. */
export type FencedConfig = Omit<PoolConfig, 'connectionString' | 'Client'> &
  (Required<Pick<PoolConfig, 'Client'>> | { readonly connectionString: string });

/** By it such an adapter is known to other copies of this module too (see processState). */
export const fencedKey = Symbol.for('signalbox.fenced');

/**
 * Prisma's adapter for pg, whose transactions take no statement after their COMMIT or ROLLBACK, and whose connections
 * are made as everywhere else (connections/).
 */
export class FencedPrismaPg extends PrismaPg {
  readonly [fencedKey] = true;

  /** @throws DatabaseUrlError */
  constructor(config: FencedConfig, options?: AdapterOptions) {
    const made = 'connectionString' in config ? fromUrl(config, options) : { config, options };
    super(made.config, made.options);
  }

  override async connect(): ReturnType<PrismaPg['connect']> {
    const adapter = explainStaleTriggers(await super.connect());
    superviseConnections(adapter.underlyingDriver());
    const start = adapter.startTransaction.bind(adapter);
    adapter.startTransaction = async (level?: IsolationLevel) =>
      new FencedTransaction(explainStaleTriggers(await start(level)));
    return adapter;
  }
}

function fromUrl(
  { connectionString: databaseUrl, ...config }: Extract<FencedConfig, { connectionString: string }>,
  options: AdapterOptions,
): { config: PoolConfig; options: AdapterOptions } {
  const { application_name: applicationName = 'signalbox' } = config;
  const session = sessionOf({ databaseUrl, applicationName });
  const { schema } = parseDatabaseUrl(databaseUrl).parameters;
  class UrlClient extends SessionClient {
    constructor() {
      super(session);
    }
  }
  return {
    config: { ...config, Client: UrlClient },
    options: { ...(schema !== undefined && { schema }), ...options },
  };
}

/** How Prisma ends a transaction, before it gives the connection back. */
const endings: ReadonlySet<string> = new Set(['COMMIT', 'ROLLBACK']);

class FencedTransaction implements Transaction {
  readonly provider: Transaction['provider'];
  readonly adapterName: string;
  readonly options: Transaction['options'];
  #ended = false;

  constructor(private readonly transaction: Transaction) {
    ({ provider: this.provider, adapterName: this.adapterName, options: this.options } = transaction);
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    return this.#open().queryRaw(query);
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    const transaction = this.#open();
    if (endings.has(query.sql)) this.#ended = true;
    return transaction.executeRaw(query);
  }

  async createSavepoint(name: string): Promise<void> {
    await this.#open().createSavepoint?.(name);
  }

  async rollbackToSavepoint(name: string): Promise<void> {
    await this.#open().rollbackToSavepoint?.(name);
  }

  async releaseSavepoint(name: string): Promise<void> {
    await this.#open().releaseSavepoint?.(name);
  }

  async commit(): Promise<void> {
    this.#ended = true;
    await this.transaction.commit();
  }

  async rollback(): Promise<void> {
    this.#ended = true;
    await this.transaction.rollback();
  }

  /** @throws DriverAdapterError when the transaction has been ended. */
  #open(): Transaction {
    if (!this.#ended) return this.transaction;
    throw new DriverAdapterError({
      kind: 'TransactionAlreadyClosed',
      cause:
        'The transaction was ended, by its time-out or by $disconnect, before all statements of this operation were sent',
    });
  }
}
