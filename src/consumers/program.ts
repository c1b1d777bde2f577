import type { z } from 'zod';
import type { Catalogue } from '../events/catalogue';
import { observeOutbox } from '../outbox/observeOutbox';
import { createKafka } from '../kafka/kafkajs/client';
import { declaredTopics } from '../kafka/topics/declaredTopics';
import { deadLetterTopic } from '../kafka/topics/topicNames';
import { longestRetentionMs } from '../kafka/topics/topicRetention';
import { Nudger } from '../outbox/nudger';
import { triggerInspector } from '../outbox/prisma/trigger/installed';
import { TriggerWatch } from '../outbox/prisma/triggerWatch';
import { ensureTopics } from '../kafka/topics/topics';
import { type Environment, loadConfig } from '../shared/config/load';
import {
  captureVariables,
  commonVariables,
  consumerVariables,
  kafkaVariables,
  serverVariables,
} from '../shared/config/variables';
import { createPool } from '../shared/database';
import { runUntilSignal, type Service } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { createMetrics } from '../shared/metrics';
import { OpsServer, type ReadinessCheck } from '../shared/opsServer';
import { type Consumer, createConsumer } from './consumer';
import { DeadLetterWatch } from './deadLetters/watch';
import { InboxJanitor } from './inboxJanitor';
import type { ConsumerDefinition } from './definition';
import { createConsumerMetrics } from './metrics';
import { divideConnections } from './poolSize';
import type { ClientOptions, ConsumerClient } from './client';
import { withDeadline } from '../shared/withDeadline';

const readinessTimeoutMs = 2_000;
/** The inbox remembers longer than Kafka keeps messages, or a replay would have its effects again. */
const inboxToTopicRetention = 2;

/** Every variable that the consumers' program reads, besides those of the consumers themselves. */
export const consumersProgramVariables = {
  ...commonVariables,
  ...serverVariables,
  ...captureVariables,
  ...kafkaVariables,
  ...consumerVariables,
};
type Config = ReturnType<typeof loadConfig<typeof consumersProgramVariables>>;

/** Consumers of whatever client and variables: that they fit was checked where they were defined. */
export type AnyConsumer = ConsumerDefinition<never, never, never, never>;

/** What `create` of such a consumer is here. */
type CreateConsumer = ConsumerDefinition<Config, ConsumerClient, Catalogue, never>['create'];

export interface ConsumersProgram {
  readonly catalogue: Catalogue;
  readonly consumers: readonly AnyConsumer[];
  readonly createClient: (options: ClientOptions) => ConsumerClient | Promise<ConsumerClient>;
  /** The variables that the consumers themselves read. */
  readonly variables: z.ZodRawShape;
  readonly environment: Environment;
  readonly logger: Logger;
}

/**
 * Runs consumers until a signal; with KAFKA_ENABLED=false it only answers its supervisor. Resolves to the exit code.
 * @throws ConfigError, UserError for what a user can put right.
 */
export async function runConsumers(program: ConsumersProgram): Promise<number> {
  const { catalogue, consumers: chosen, environment, logger } = program;
  const { KAFKA_ENABLED } = loadConfig({ KAFKA_ENABLED: kafkaVariables.KAFKA_ENABLED }, environment);
  if (!KAFKA_ENABLED) return idle(program);
  const config = loadConfig({ ...program.variables, ...consumersProgramVariables }, environment);
  const { prisma, pool, nudger, atOnce } = await openDatabase(config, program);
  const metrics = createMetrics('consumers');
  observeOutbox(metrics, pool, logger);
  const triggers = new TriggerWatch({
    engine: config.OUTBOX_CAPTURE,
    inspect: triggerInspector(prisma, catalogue),
    registry: metrics,
    logger,
  });
  const common = {
    catalogue,
    ...sharedOptions(config, program),
    ...atOnce,
    database: prisma,
    metrics: createConsumerMetrics(metrics),
  };
  const made = chosen.map(({ name, create }) => {
    const setup = { config, database: prisma, logger: logger.child({ consumer: name }), metrics };
    return { name, ...(create as CreateConsumer)(setup) };
  });
  const running = made.map((parts) =>
    createConsumer({ ...common, ...parts, group: `${config.CONSUMER_GROUP_PREFIX}.${parts.name}` }),
  );
  const readiness: ReadinessCheck[] = [
    databaseCheck(() => prisma.$queryRawUnsafe('SELECT 1')),
    triggers.readiness,
    ...running.flatMap((consumer) => consumer.readiness),
  ];
  return runUntilSignal({
    logger,
    services: [
      closing('database', async () => Promise.all([prisma.$disconnect(), pool.end()])),
      nudger,
      triggers,
      new OpsServer({ ...opsOptions(config, logger), metrics, readiness }),
      janitor(config, common.kafka, catalogue, { pool, logger }),
      new DeadLetterWatch({
        kafka: common.kafka,
        topic: deadLetterTopic(config.KAFKA_TOPIC_PREFIX),
        pool,
        registry: metrics,
        logger,
      }),
      ...made.flatMap(({ service }) => service ?? []),
      together(running),
    ],
    failed: allFailed(running, logger),
  });
}

/** What all consumers of the program have in common. */
function sharedOptions(config: Config, { catalogue, logger }: ConsumersProgram) {
  const kafka = createKafka(config, logger);
  return {
    kafka,
    topicPrefix: config.KAFKA_TOPIC_PREFIX,
    account: config.KAFKA_SASL_USERNAME,
    logger,
    retry: { retryLimit: config.CONSUMER_RETRY_LIMIT, retryMaxMs: config.CONSUMER_RETRY_MAX_MS },
    sessionTimeoutMs: config.CONSUMER_SESSION_TIMEOUT_MS,
    ...topicCreation(config, kafka, catalogue),
  };
}

/** What the consumers write through, their share of its connections, and what tells the relay that they have written. */
async function openDatabase(config: Config, { consumers, createClient, logger }: ConsumersProgram) {
  const { poolSize, ...atOnce } = divideConnections(consumers.length, {
    databaseUrl: config.DATABASE_URL,
    poolSize: config.DATABASE_POOL_SIZE,
  });
  const database = {
    databaseUrl: config.DATABASE_URL,
    poolSize,
    preparedStatements: config.DATABASE_PREPARED_STATEMENTS,
    applicationName: 'signalbox-consumers',
    logger,
  };
  const { OUTBOX_CAPTURE: engine, OUTBOX_NUDGE_INTERVAL_MS: intervalMs } = config;
  const nudger = new Nudger({ databaseUrl: config.DATABASE_URL, intervalMs, logger });
  const source = config.CONSUMERS_SERVICE_NAME;
  const prisma = await createClient({ ...database, engine, source, onCommitted: () => nudger.nudge() });
  const pool = createPool({ ...database, poolSize: 1 });
  return { prisma, pool, nudger, atOnce };
}

/** KAFKA_ENABLED=false: nothing is consumed; supervisors still see a program that is well. */
async function idle({ environment, logger }: ConsumersProgram): Promise<number> {
  const { CONSUMERS_PORT, HOST } = consumersProgramVariables;
  const config = loadConfig({ CONSUMERS_PORT, HOST }, environment);
  logger.warn('KAFKA_ENABLED is false: nothing is consumed, events wait');
  const ops = new OpsServer({
    ...opsOptions(config, logger),
    metrics: createMetrics('consumers'),
    readiness: [],
  });
  return runUntilSignal({ logger, services: [ops] });
}

function opsOptions({ HOST, CONSUMERS_PORT }: Pick<Config, 'HOST' | 'CONSUMERS_PORT'>, logger: Logger) {
  return { host: HOST, port: CONSUMERS_PORT, portVariable: 'CONSUMERS_PORT', logger };
}

/** Topics may keep more than the variable says: it is about those that Signalbox creates. */
function janitor(
  { KAFKA_TOPIC_RETENTION_MS, KAFKA_TOPIC_PREFIX: prefix }: Config,
  kafka: ReturnType<typeof createKafka>,
  catalogue: Catalogue,
  dependencies: Omit<ConstructorParameters<typeof InboxJanitor>[0], 'keepMs'>,
): Service {
  const declaredMs = KAFKA_TOPIC_RETENTION_MS < 0 ? Infinity : KAFKA_TOPIC_RETENTION_MS;
  const topics = declaredTopics(catalogue, prefix).filter((topic) => topic !== deadLetterTopic(prefix));
  const keepMs = async (): Promise<number> =>
    inboxToTopicRetention * Math.max(declaredMs, await longestRetentionMs(kafka, topics));
  return new InboxJanitor({ ...dependencies, keepMs });
}

/**
 * Whoever comes first creates all topics: the relay, or a consumer that would have to wait for it. Consumers that start
 * together want the same ones, so one request at a time serves them all.
 */
function topicCreation(config: Config, kafka: ReturnType<typeof createKafka>, catalogue: Catalogue) {
  if (!config.KAFKA_CREATE_TOPICS) return {};
  let underWay: Promise<unknown> | undefined;
  return {
    createTopics: async () => {
      underWay ??= ensureTopics(kafka, catalogue, config).finally(() => (underWay = undefined));
      await underWay;
    },
  };
}

/**
 * Rejects when every consumer has ended by itself: what one of them cannot do says nothing of the others, which go on
 * meanwhile. The ended one is reported at once, and the program is not ready.
 */
async function allFailed(running: readonly Consumer[], logger: Logger): Promise<never> {
  const reasons = await Promise.all(
    running.map(({ name, failed }) =>
      failed.catch((error: unknown) => {
        if (running.length > 1)
          logger.error(`${name} has ended: ${error instanceof Error ? error.message : ''}`);
        return error;
      }),
    ),
  );
  throw reasons[0];
}

/** They stop side by side, so that the slowest message in hand, not the sum, decides how long it takes. */
function together(running: readonly Consumer[]): Service {
  return {
    name: 'consumers',
    start: async () => void (await Promise.all(running.map((consumer) => consumer.start()))),
    stop: async () => void (await Promise.all(running.map((consumer) => consumer.stop()))),
  };
}

function closing(name: string, close: () => Promise<unknown>): Service {
  return { name, start: async () => undefined, stop: async () => void (await close()) };
}

function databaseCheck(ping: () => Promise<unknown>): ReadinessCheck {
  return {
    name: 'database',
    check: async () => {
      await withDeadline(ping(), readinessTimeoutMs);
      return { ok: true };
    },
  };
}
