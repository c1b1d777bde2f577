import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { createKafka } from '../kafka/kafkajs/client';
import { declaredTopics } from '../kafka/topics/declaredTopics';
import type { Catalogue } from '../events/catalogue';
import { acknowledgeTimeoutMs, KafkaPublisher } from '../kafka/publish/producer';
import { observeOutbox } from '../outbox/observeOutbox';
import { type Environment, loadConfig } from '../shared/config/load';
import { kafkaVariables } from '../shared/config/variables';
import { runUntilSignal, type Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { createMetrics } from '../shared/metrics';
import { OpsServer } from '../shared/opsServer';
import { Janitor } from './janitor';
import { LaneLeases } from './leases';
import { beginAtZero, createRelayMetrics, observeTopics } from './metrics';
import { createRelayPool } from './pool';
import { readinessChecks } from './readiness';
import { Relay } from './relay';
import { Waker } from './waker';
import { relayProgramVariables as variables } from './variables';

/** A frozen broker holds up what is sent to the others for as long as this; brokers answer within less themselves. */
const requestTimeoutMs = acknowledgeTimeoutMs + 1_000;

const withoutKafka = {
  ...variables,
  KAFKA_BOOTSTRAP_SERVERS: kafkaVariables.KAFKA_BOOTSTRAP_SERVERS.optional(),
};
type Config = ReturnType<typeof loadConfig<typeof variables>>;

export interface RelayProgram {
  /** What may be published: its topics are created or looked for. */
  readonly catalogue: Catalogue;
  /** The variables that configure it; see variables.ts. */
  readonly environment: Environment;
  readonly logger: Logger;
}

/**
 * Publishes the events of the outbox until a signal; with KAFKA_ENABLED=false it only answers its supervisor.
 * Resolves to the exit code. @throws ConfigError, UserError for what a user can put right.
 */
export async function runRelay(program: RelayProgram): Promise<number> {
  const { KAFKA_ENABLED } = kafkaVariables;
  const enabled = KAFKA_ENABLED.catch(true).parse(program.environment['KAFKA_ENABLED'] || undefined);
  return enabled ? publish(program) : wait(program);
}

async function publish({ catalogue, environment, logger }: RelayProgram): Promise<number> {
  const config = loadConfig(variables, environment);
  const registry = createMetrics('relay');
  const metrics = createRelayMetrics(registry);
  const database = poolOf(config, logger);
  observeOutbox(registry, database, logger);
  const leases = new LaneLeases({
    database,
    identity: { id: randomUUID(), instance: config.RELAY_INSTANCE ?? `${hostname()}:${process.pid}` },
    leaseMs: config.RELAY_LEASE_MS,
    policy: config.RELAY_POISON_POLICY,
    logger,
    metrics,
  });
  const publisher = new KafkaPublisher({
    kafka: createKafka(config, logger, { requestTimeoutMs }),
    catalogue,
    topics: config,
    compression: config.KAFKA_COMPRESSION,
    logger,
    account: config.KAFKA_SASL_USERNAME,
    retryMaxMs: config.RELAY_RETRY_MAX_MS,
  });
  const topics = declaredTopics(catalogue, config.KAFKA_TOPIC_PREFIX);
  observeTopics(registry, topics, publisher);
  beginAtZero(metrics, topics);
  const relay = new Relay({
    database,
    publisher,
    leases,
    leaseMs: config.RELAY_LEASE_MS,
    pageSize: config.RELAY_PAGE_SIZE,
    pollIntervalMs: config.RELAY_POLL_INTERVAL_MS,
    retryMaxMs: config.RELAY_RETRY_MAX_MS,
    publishing: {
      catalogue,
      topicPrefix: config.KAFKA_TOPIC_PREFIX,
      maxMessageBytes: config.KAFKA_MAX_MESSAGE_BYTES,
      policy: config.RELAY_POISON_POLICY,
      account: config.KAFKA_SASL_USERNAME,
    },
    logger,
    metrics,
  });
  const waker = new Waker({ databaseUrl: config.DATABASE_URL, onWake: () => relay.wake(), logger });
  const keepMs = config.OUTBOX_RETENTION_MS;
  const janitors = keepMs < 0 ? [] : [new Janitor({ database, leases, keepMs, logger, registry })];
  const opsServer = opsServerOf(
    config,
    registry,
    logger,
    readinessChecks({ database, publisher, leases, relay }),
  );
  return runUntilSignal({
    logger,
    services: [poolService(database), opsServer, relay, waker, ...janitors],
    failed: relay.failed,
  });
}

/** Without Kafka, events wait in the outbox; whoever looks is told so. */
async function wait({ environment, logger }: RelayProgram): Promise<number> {
  const config = loadConfig(withoutKafka, environment);
  logger.warn('KAFKA_ENABLED is false: nothing is published, events wait in the outbox');
  const registry = createMetrics('relay');
  const database = poolOf(config, logger);
  observeOutbox(registry, database, logger);
  const opsServer = opsServerOf(config, registry, logger, readinessChecks({ database }));
  return runUntilSignal({ logger, services: [poolService(database), opsServer] });
}

/** A statement may take a lease's time, but a slow one must not fail for a short lease. */
function poolOf(config: Pick<Config, 'DATABASE_URL' | 'RELAY_LEASE_MS'>, logger: Logger): Pool {
  return createRelayPool(config.DATABASE_URL, Math.max(config.RELAY_LEASE_MS, 10_000), logger);
}

function poolService(database: Pool): Service {
  let ended = false;
  return {
    name: 'database',
    start: async () => undefined,
    stop: async () => {
      if (!ended) await database.end();
      ended = true;
    },
  };
}

function opsServerOf(
  config: Pick<Config, 'HOST' | 'RELAY_PORT'>,
  metrics: ReturnType<typeof createMetrics>,
  logger: Logger,
  readiness: ReturnType<typeof readinessChecks>,
): OpsServer {
  const { HOST: host, RELAY_PORT: port } = config;
  return new OpsServer({ host, port, portVariable: 'RELAY_PORT', metrics, readiness, logger });
}
