import type { Logger } from 'pino';
import type { Coordinator } from '../groups/coordinator';
import type { errorCodes } from '../protocol/errorCodes';
import type { Reader } from '../protocol/reader';
import type { Writer } from '../protocol/writer';
import type { Store } from '../storage/store';

/**
 * What a test has the broker refuse, as access control, policies and missing replicas do on a real one: the error of an
 * operation on the topic of this name ("Join": on the group), if there is to be one.
 */
export type Refusals = (
  operation: 'Describe' | 'Create' | 'Write' | 'Read' | 'Join',
  name: string,
) => keyof typeof errorCodes | undefined;

/** What the handlers work on. */
export interface BrokerContext {
  readonly store: Pick<Store, 'topics' | 'offsets' | 'identity'>;
  readonly coordinator: Coordinator;
  /** Where clients reach this broker. */
  readonly address: { readonly host: string; readonly port: number };
  readonly defaultPartitions: number;
  readonly refusals: Refusals;
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
