import type * as signalbox from 'signalbox/consumers';
import type { SharedTransactions as Shared } from 'signalbox/consumers';
import type { Prisma } from '../../generated/prisma/client';
import type { loadConfig } from 'signalbox/service';
import type { reminderVariables } from './variables';
import type { CapturedClient, CapturedTransaction } from '../capturedClient';
import type { AnyEvent, catalogue } from '../catalogue';

/* The runner's types for HealthCore's catalogue and client. */

type HealthCore = typeof catalogue;
type Config = ReturnType<typeof loadConfig<typeof reminderVariables>>;

export type HandlerContext<Tx = Prisma.TransactionClient> = signalbox.HandlerContext<Tx>;
export type Handlers<Tx = Prisma.TransactionClient> = signalbox.Handlers<HealthCore, Tx>;
export type Effects<Tx = Prisma.TransactionClient> = signalbox.Effects<HealthCore, Tx>;
export type SharedTransactions = Shared<Prisma.TransactionClient, AnyEvent>;
export type ConsumerSetup = signalbox.ConsumerSetup<Config, CapturedClient>;
export type ConsumerParts = signalbox.ConsumerParts<HealthCore, CapturedTransaction>;
export type ConsumerDefinition = signalbox.ConsumerDefinition<
  Config,
  CapturedClient,
  HealthCore,
  CapturedTransaction
>;
