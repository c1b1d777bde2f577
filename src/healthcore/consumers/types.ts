import type * as definition from '../../consumers/definition';
import type * as effects from '../../consumers/effects';
import type * as handlers from '../../consumers/handlers';
import type { SharedTransactions as Shared } from '../../consumers/processTogether';
import type { Prisma } from '../../generated/prisma/client';
import type { loadConfig } from '../../shared/config/load';
import type { consumerVariables } from '../../shared/config/variables';
import type { CapturedClient, CapturedTransaction } from '../capturedClient';
import type { AnyEvent, catalogue } from '../catalogue';

/* The runner's types for HealthCore's catalogue and client. */

type HealthCore = typeof catalogue;
type Config = ReturnType<typeof loadConfig<typeof consumerVariables>>;

export type HandlerContext<Tx = Prisma.TransactionClient> = handlers.HandlerContext<Tx>;
export type Handlers<Tx = Prisma.TransactionClient> = handlers.Handlers<HealthCore, Tx>;
export type Effects<Tx = Prisma.TransactionClient> = effects.Effects<HealthCore, Tx>;
export type SharedTransactions = Shared<Prisma.TransactionClient, AnyEvent>;
export type ConsumerSetup = definition.ConsumerSetup<Config, CapturedClient>;
export type ConsumerParts = definition.ConsumerParts<HealthCore, CapturedTransaction>;
export type ConsumerDefinition = definition.ConsumerDefinition<
  Config,
  CapturedClient,
  HealthCore,
  CapturedTransaction
>;
