import type { Registry } from 'prom-client';
import type { Catalogue } from '../events/catalogue';
import type { EventOf } from '../events/envelope';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import type { Postponement } from './consumer';
import type { Effects } from './effects';
import type { ClassifyError } from './failurePolicy';
import type { Handlers } from './handlers';
import type { SharedTransactions } from './processTogether';
import type { Transaction } from './transaction';

/** What a consumer is made with. */
export interface ConsumerSetup<Config, Client> {
  readonly config: Config;
  /** Outside of handlers, which are given a transaction of it. */
  readonly database: Client;
  readonly logger: Logger;
  /** Where it may declare metrics of its own. */
  readonly metrics: Registry;
}

/** What makes a consumer of events different from others. */
export interface ConsumerParts<C extends Catalogue, Tx extends Transaction> {
  readonly handlers: Handlers<C, Tx>;
  /** Handlers whose effect is outside of the database. */
  readonly effects?: Effects<C, Tx>;
  /** How long events may be postponed, and whether later ones wait for them. */
  readonly postponement?: Postponement;
  /** What errors mean that the runner does not know. */
  readonly classify?: ClassifyError;
  /** Messages that share a transaction; without it none does. */
  readonly sharedTransactions?: SharedTransactions<Tx, EventOf<C>>;
  /** What runs beside the handlers; started before them and stopped after them. */
  readonly service?: Service;
}

/** A consumer that can be run by its name. */
export interface ConsumerDefinition<Config, Client, C extends Catalogue, Tx extends Transaction> {
  /** On the command line, in the inbox and, after the prefix, of the group. */
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** @throws UserError when the configuration is not enough. */
  readonly create: (setup: ConsumerSetup<Config, Client>) => ConsumerParts<C, Tx>;
}
