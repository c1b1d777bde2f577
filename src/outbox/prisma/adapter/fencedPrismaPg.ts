import { PrismaPg } from '@prisma/adapter-pg';
import {
  DriverAdapterError,
  type IsolationLevel,
  type SqlQuery,
  type SqlResultSet,
  type Transaction,
} from '@prisma/driver-adapter-utils';
import type { PoolConfig } from 'pg';
import { type CommitGate, currentGate } from '../../../shared/commitGate';
import { parseDatabaseUrl } from '../../../shared/connections/databaseUrl';
import { sessionOf } from '../../../shared/connections/session';
import { SessionClient } from '../../../shared/connections/sessionClient';
import { superviseConnections } from '../../../shared/connections/supervise';
import { explainStaleTriggers } from './staleTriggers';

/*
 * Prisma may end a transaction while one of its operations is under way: at a time-out, or in $disconnect. An operation
 * of several statements (a nested write, say) goes on all the same, and Prisma 7.10 sends the rest of them on the same
 * connection, behind the ROLLBACK. There they are no part of the transaction any more: each commits by itself, or in
 * whoever's transaction has been given the connection since. So half an operation would stay although all of it was
 * rolled back, and whoever took the images around it (src/outbox/prisma/middleware) would write no event for that half.
 */

type AdapterOptions = ConstructorParameters<typeof PrismaPg>[1];

/** A pool's settings with the class of its connections, as `createAdapter` makes them, or with the URL to make it of. */
export type FencedConfig = Omit<PoolConfig, 'connectionString' | 'Client'> &
  (Required<Pick<PoolConfig, 'Client'>> | { readonly connectionString: string });

/** By it such an adapter is known to other copies of this module too (see processState). */
export const fencedKey = Symbol.for('signalbox.fenced');

/**
 * Prisma's adapter for pg, whose transactions take no statement after their COMMIT or ROLLBACK, whose connections are
 * made as everywhere else (connections/), and whose commits pass through the gate of the work they belong to
 * (commitGate.ts): after it is closed, a transaction can only roll back.
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
    adapter.startTransaction = async (level?: IsolationLevel) => {
      const gate = currentGate();
      refuseIfClosed(gate);
      return new FencedTransaction(explainStaleTriggers(await start(level)), gate);
    };
    const [queryRaw, executeRaw] = [adapter.queryRaw.bind(adapter), adapter.executeRaw.bind(adapter)];
    adapter.queryRaw = async (query) => sendAlone(query, queryRaw);
    adapter.executeRaw = async (query) => sendAlone(query, executeRaw);
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

/** Sends a statement outside any transaction. Unless it only reads, it commits by itself. */
async function sendAlone<T>(query: SqlQuery, send: (query: SqlQuery) => Promise<T>): Promise<T> {
  const gate = currentGate();
  if (!gate || /^\s*SELECT\b/i.test(query.sql)) return send(query);
  refuseIfClosed(gate);
  return gate.commit(() => send(query));
}

/** @throws DriverAdapterError when the work was given up: its request has been answered, or its client has left. */
function refuseIfClosed(gate: CommitGate | undefined): void {
  if (gate?.isClosed) throw givenUp();
}

function givenUp(): DriverAdapterError {
  return new DriverAdapterError({
    kind: 'TransactionAlreadyClosed',
    cause: 'The request was given up before all of its statements were sent',
  });
}

class FencedTransaction implements Transaction {
  readonly provider: Transaction['provider'];
  readonly adapterName: string;
  readonly options: Transaction['options'];
  #ended = false;

  constructor(
    private readonly transaction: Transaction,
    private readonly gate: CommitGate | undefined,
  ) {
    ({ provider: this.provider, adapterName: this.adapterName, options: this.options } = transaction);
  }

  async queryRaw(query: SqlQuery): Promise<SqlResultSet> {
    return this.#open().queryRaw(query);
  }

  async executeRaw(query: SqlQuery): Promise<number> {
    if (query.sql === 'COMMIT') return this.#commit(query);
    if (query.sql !== 'ROLLBACK') return this.#open().executeRaw(query);
    return this.#end().executeRaw(query);
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

  /** Gives the connection back after COMMIT. */
  async commit(): Promise<void> {
    this.#ended = true;
    await this.transaction.commit();
  }

  /** Gives the connection back after ROLLBACK, or after a COMMIT that failed. */
  async rollback(): Promise<void> {
    this.#ended = true;
    await this.transaction.rollback();
  }

  /** Prisma sends no ROLLBACK after a COMMIT that failed, so one that the gate refuses is turned into a ROLLBACK. */
  async #commit(query: SqlQuery): Promise<number> {
    const transaction = this.#end();
    if (!this.gate) return transaction.executeRaw(query);
    if (!this.gate.isClosed) return this.gate.commit(() => transaction.executeRaw(query));
    await transaction.executeRaw({ ...query, sql: 'ROLLBACK' });
    throw givenUp();
  }

  /** @throws DriverAdapterError when the transaction has been ended, or its work was given up. */
  #open(): Transaction {
    const transaction = this.#unended();
    refuseIfClosed(this.gate);
    return transaction;
  }

  #end(): Transaction {
    const transaction = this.#unended();
    this.#ended = true;
    return transaction;
  }

  #unended(): Transaction {
    if (!this.#ended) return this.transaction;
    throw new DriverAdapterError({
      kind: 'TransactionAlreadyClosed',
      cause:
        'The transaction was ended, by its time-out or by $disconnect, before all statements of this operation were sent',
    });
  }
}
