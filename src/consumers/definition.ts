import type { Registry } from 'prom-client';
import type { CapturedClient, CapturedTransaction } from '../outbox/prisma/middleware/extension';
import type { loadConfig } from '../shared/config/load';
import type { consumerVariables } from '../shared/config/variables';
import type { Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import type { Postponement } from './consumer';
import type { Effects } from './effects';
import type { ClassifyError } from './failurePolicy';
import type { Handlers } from './handlers';
import type { SharedTransactions } from './processTogether';

/** What a consumer is made with. */
export interface ConsumerSetup {
  readonly config: ReturnType<typeof loadConfig<typeof consumerVariables>>;
  /** Outside of handlers, which are given a transaction of it. */
  readonly database: CapturedClient;
  readonly logger: Logger;
  /** Where it may declare metrics of its own. */
  readonly metrics: Registry;
}

export interface ConsumerParts {
  readonly handlers: Handlers<CapturedTransaction>;
  /** Handlers whose effect is outside of the database. */
  readonly effects?: Effects<CapturedTransaction>;
  /** How long events may be postponed, and whether later ones wait for them. */
  readonly postponement?: Postponement;
  /** What errors mean that the runner does not know. */
  readonly classify?: ClassifyError;
  /** Messages that share a transaction; without it none does. */
  readonly sharedTransactions?: SharedTransactions<CapturedTransaction>;
  /** What runs beside the handlers; started before them and stopped after them. */
  readonly service?: Service;
}

/** A consumer that `npm run consumers` can run. */
export interface ConsumerDefinition {
  /** On the command line, in the inbox and, behind the prefix, of the group. */
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** @throws UserError when the configuration is not enough. */
  readonly create: (setup: ConsumerSetup) => ConsumerParts;
}
