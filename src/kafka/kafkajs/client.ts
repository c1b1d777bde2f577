import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import type { KafkaClient } from '../ports';
import { UserError } from '../../shared/lifecycle';
import type { Logger } from '../../shared/logger';
import { askEveryBroker } from './brokerPool';
import { installCodecs } from './compression/codecs';
import { Connections } from '../connection/connections';
import { rememberClient } from '../connection/explain';
import { tlsOptions, type TlsSettings } from '../connection/tls';
import { fetchTolerantly } from './fetch/tolerantFetch';
import { calmIdleTimers } from './idleTimers';
import { nameFailedTopics } from './topicErrors';

/** The connection settings, as config/variables.ts names them. */
export interface KafkaSettings extends TlsSettings {
  KAFKA_BOOTSTRAP_SERVERS: string[];
  KAFKA_CLIENT_ID: string;
  KAFKA_SASL_MECHANISM?: 'plain' | 'scram-sha-256' | 'scram-sha-512' | undefined;
  KAFKA_SASL_USERNAME?: string | undefined;
  KAFKA_SASL_PASSWORD?: string | undefined;
}

/**
 * The one place where a kafkajs client is made. Retries inside kafkajs stay few and short: our own loops back off,
 * say so in the log and can be stopped, which a client deep in its retries cannot.
 * `requestTimeoutMs` is how long a broker may take to answer, in milliseconds.
 * @throws UserError when SASL or TLS settings are incomplete.
 */
export function createKafka(
  settings: KafkaSettings,
  logger: Logger,
  { requestTimeoutMs = 15_000 }: { readonly requestTimeoutMs?: number } = {},
): KafkaClient {
  calmIdleTimers();
  installCodecs();
  fetchTolerantly();
  nameFailedTopics();
  askEveryBroker();
  const sasl = saslOf(settings);
  const connections = new Connections({
    files: { ca: settings.KAFKA_SSL_CA_FILE, cert: settings.KAFKA_SSL_CERT_FILE },
    sasl: sasl !== undefined,
  });
  const config: KafkaConfig = {
    clientId: settings.KAFKA_CLIENT_ID,
    brokers: () => connections.inOrder(settings.KAFKA_BOOTSTRAP_SERVERS),
    ssl: tlsOptions(settings),
    socketFactory: connections.open,
    ...(sasl ? { sasl } : {}),
    connectionTimeout: 3_000,
    requestTimeout: requestTimeoutMs,
    retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => forward(logger, entry),
  };
  const kafka = new Kafka(config);
  rememberClient(kafka, { connections, account: sasl?.username });
  return kafka;
}

type LogEntry = Parameters<ReturnType<NonNullable<KafkaConfig['logCreator']>>>[0];

/** kafkajs reports every lost connection as an error; our loops report what it means, so these are for debugging. */
function forward(logger: Logger, { namespace, log }: LogEntry): void {
  const { message, error, broker, groupId, topic, partition } = log as Record<string, unknown>;
  logger.debug({ kafkajs: namespace, error, broker, groupId, topic, partition }, String(message));
}

function saslOf(settings: KafkaSettings): (SASLOptions & { readonly username: string }) | undefined {
  const mechanism = settings.KAFKA_SASL_MECHANISM;
  const given = (['KAFKA_SASL_USERNAME', 'KAFKA_SASL_PASSWORD'] as const).find((name) => settings[name]);
  if (!mechanism && given === undefined) return undefined;
  if (!mechanism) {
    throw new UserError(
      `${given} is set, but KAFKA_SASL_MECHANISM is not: set it to plain, scram-sha-256 or scram-sha-512, or unset ${given}.`,
    );
  }
  const username = settings.KAFKA_SASL_USERNAME;
  const password = settings.KAFKA_SASL_PASSWORD;
  if (!username || !password) {
    throw new UserError(
      `KAFKA_SASL_MECHANISM="${mechanism}" needs KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD too.`,
    );
  }
  return { mechanism, username, password };
}
