import { readFileSync } from 'node:fs';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import { UserError } from '../shared/lifecycle';
import type { Logger } from '../shared/logger';
import { installCodecs } from './compression/codecs';
import { fetchTolerantly } from './fetch/tolerantFetch';
import { keepCoordinatorErrors } from './coordinatorErrors';
import { calmIdleTimers } from './idleTimers';
import { nameFailedTopics } from './topicErrors';

/** The connection settings, as config/variables.ts names them. */
export interface KafkaSettings {
  KAFKA_BOOTSTRAP_SERVERS: string[];
  KAFKA_CLIENT_ID: string;
  KAFKA_SSL: boolean;
  KAFKA_SSL_CA_FILE?: string | undefined;
  KAFKA_SASL_MECHANISM?: 'plain' | 'scram-sha-256' | 'scram-sha-512' | undefined;
  KAFKA_SASL_USERNAME?: string | undefined;
  KAFKA_SASL_PASSWORD?: string | undefined;
}

/**
 * The one place where a kafkajs client is made. Retries inside kafkajs stay few and short: our own loops back off,
 * say so in the log and can be stopped, which a client deep in its retries cannot.
 * @throws UserError when SASL or TLS settings are incomplete.
 */
export function createKafka(settings: KafkaSettings, logger: Logger): Kafka {
  calmIdleTimers();
  installCodecs();
  fetchTolerantly();
  keepCoordinatorErrors();
  nameFailedTopics();
  const sasl = saslOf(settings);
  const config: KafkaConfig = {
    clientId: settings.KAFKA_CLIENT_ID,
    brokers: settings.KAFKA_BOOTSTRAP_SERVERS,
    ssl: sslOf(settings),
    ...(sasl ? { sasl } : {}),
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => forward(logger, entry),
  };
  return new Kafka(config);
}

type LogEntry = Parameters<ReturnType<NonNullable<KafkaConfig['logCreator']>>>[0];

/** kafkajs reports every lost connection as an error; our loops report what it means, so these are for debugging. */
function forward(logger: Logger, { namespace, log }: LogEntry): void {
  const { message, error, broker, groupId, topic, partition } = log as Record<string, unknown>;
  logger.debug({ kafkajs: namespace, error, broker, groupId, topic, partition }, String(message));
}

function sslOf({ KAFKA_SSL, KAFKA_SSL_CA_FILE }: KafkaSettings): NonNullable<KafkaConfig['ssl']> {
  if (!KAFKA_SSL || !KAFKA_SSL_CA_FILE) return KAFKA_SSL;
  try {
    return { ca: [readFileSync(KAFKA_SSL_CA_FILE, 'utf8')] };
  } catch (error) {
    throw new UserError(
      `KAFKA_SSL_CA_FILE="${KAFKA_SSL_CA_FILE}" cannot be read: ${(error as Error).message}`,
    );
  }
}

function saslOf(settings: KafkaSettings): SASLOptions | undefined {
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  if (!mechanism) return undefined;
  const username = settings.KAFKA_SASL_USERNAME;
  const password = settings.KAFKA_SASL_PASSWORD;
  if (!username || !password) {
    throw new UserError(
      `KAFKA_SASL_MECHANISM="${mechanism}" needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD too.`,
    );
  }
  return { mechanism, username, password };
}
