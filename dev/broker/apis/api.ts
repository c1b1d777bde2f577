import type { Logger } from 'pino';
import type { Coordinator } from '../groups/coordinator';
import type { Reader } from '../protocol/reader';
import type { Writer } from '../protocol/writer';
import type { Store } from '../storage/store';

/** What the handlers work on. */
export interface BrokerContext {
  readonly store: Pick<Store, 'topics' | 'offsets' | 'identity'>;
  readonly coordinator: Coordinator;
  /** Where clients reach this broker. */
  readonly address: { readonly host: string; readonly port: number };
  readonly defaultPartitions: number;
  readonly logger: Logger;
}

export interface RequestContext extends BrokerContext {
  readonly version: number;
  readonly clientId: string;
  readonly clientHost: string;
  /** Aborted when the connection is closed, so that nothing waits on its behalf any more. */
  readonly gone: AbortSignal;
}

/** One request type. A handler that returns nothing sends no answer. */
export interface Api {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  handle(request: Reader, context: RequestContext): Writer | undefined | Promise<Writer | undefined>;
}

/** The only broker of the cluster, and its controller. */
export const nodeId = 1;
