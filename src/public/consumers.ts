/* `signalbox/consumers`: typed handlers, each event effectively once. */

export type { ClientOptions, ConsumerClient } from '../consumers/client';
export {
  type Consumer,
  type ConsumerOptions,
  createConsumer,
  type Postponement,
} from '../consumers/consumer';
export { type ConsumerDefinition, type ConsumerParts, type ConsumerSetup } from '../consumers/definition';
export type { Effect, EffectContext, Effects } from '../consumers/effects';
export { PermanentError, PostponeError, TransientError, UnavailableError } from '../consumers/errors';
export type { ClassifyError, RetryPolicy } from '../consumers/failurePolicy';
export { type Handler, type HandlerContext, handleEveryEvent, type Handlers } from '../consumers/handlers';
export { type ConsumerMetrics, createConsumerMetrics } from '../consumers/metrics';
export type { SharedTransactions } from '../consumers/processTogether';
export { type ConsumersProgram, runConsumers } from '../consumers/program';
export type { ConsumerDatabase } from '../consumers/transact';
export type { Transaction } from '../consumers/transaction';
