/*
 * `signalbox/service`: what Signalbox's own programs are made of, for services that want to start, stop, log, and answer
 * their supervisors as these do.
 */

export { withDeadline } from '../shared/withDeadline';
export { Nudger } from '../outbox/nudger';
export { observeOutbox } from '../outbox/observeOutbox';
export { CommitGate, currentGate, runBehindGate, runWithoutGate } from '../shared/commitGate';
export { ConfigError, type Environment, loadConfig, warnOfUnknown } from '../shared/config/load';
export {
  captureVariables,
  commonVariables,
  consumerVariables,
  flag,
  kafkaVariables,
  port,
  relayVariables,
  serverVariables,
  whole,
} from '../shared/config/variables';
export { parseDatabaseUrl } from '../shared/connections/databaseUrl';
export { runUntilSignal, type RunOptions, type Service, UserError } from '../shared/lifecycle';
export { listen } from '../shared/listen';
export { createLogger, describeErrorWithoutMessage, type Logger } from '../shared/logger';
export { createMetrics } from '../shared/metrics';
export { pendingMigrations } from '../shared/migrate/migrate';
export { checkReadiness, OpsServer, type OpsServerOptions, type ReadinessCheck } from '../shared/opsServer';
export { PollLoop } from '../shared/pollLoop';
export { runProgram } from '../shared/program';
