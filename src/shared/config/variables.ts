import { z } from 'zod';
import { databaseUrlProblems } from '../connections/databaseUrl';

/*
 * Every environment variable of the package, once: its schema, its default and what it is for. `.env.example` and the
 * configuration page are checked against this file.
 */

/** A variable that is true or false. */
export const flag = z.stringbool({ truthy: ['true', '1', 'yes', 'on'], falsy: ['false', '0', 'no', 'off'] });
/** A variable that is a whole number of a range. */
export const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
/** A variable that is a TCP port. */
export const port = whole(1, 65_535);
const secret = z.string().min(1);
const brokerList = z
  .string()
  .transform((list) => list.split(',').map((broker) => broker.trim()))
  .pipe(
    z
      .array(
        z.string().regex(/^[^\s:]+:\d{1,5}$|^\[[^\]]+\]:\d{1,5}$/, 'expected host:port, separated by commas'),
      )
      .min(1),
  );

/** What all three programs read. */
export const commonVariables = {
  DATABASE_URL: z
    .string()
    .superRefine((url, context) => {
      for (const message of databaseUrlProblems(url)) context.addIssue({ code: 'custom', message });
    })
    .describe('The Postgres database that holds the models and the outbox'),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .describe('Least level that is logged'),
};

/** What every program with a server reads. */
export const serverVariables = {
  HOST: z.string().min(1).default('0.0.0.0').describe('Address on which servers listen'),
};

/** What is needed to write through Prisma with capture. */
export const captureVariables = {
  DATABASE_POOL_SIZE: whole(1, 500)
    .optional()
    .describe(
      'Connections that Prisma may hold; unset, 10 in the API, and 6 for each consumer and 2 more in the consumers',
    ),
  DATABASE_PREPARED_STATEMENTS: flag
    .default(true)
    .describe(
      'Whether statements that come again and again are prepared; false behind a pooler that cannot keep them',
    ),
  OUTBOX_CAPTURE: z
    .enum(['middleware', 'trigger'])
    .default('middleware')
    .describe('The engine that turns writes into events'),
  OUTBOX_NUDGE_INTERVAL_MS: whole(0, 60_000)
    .default(5)
    .describe(
      'Least time between two wake-ups of the relay, in milliseconds; 0 sends none and leaves it to polling',
    ),
};

/** What is needed to talk to Kafka. Programs that only write read none of it. */
export const kafkaVariables = {
  KAFKA_BOOTSTRAP_SERVERS: brokerList.describe('Brokers to connect to first, host:port separated by commas'),
  KAFKA_ENABLED: flag
    .default(true)
    .describe('When false the relay publishes nothing and events wait in the outbox'),
  KAFKA_TOPIC_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/, 'expected letters, digits, ".", "_" or "-"')
    .default('signalbox')
    .describe('Topics are named prefix.event_type'),
  KAFKA_CLIENT_ID: z
    .string()
    .min(1)
    .default('signalbox')
    .describe('The name under which brokers know this program'),
  KAFKA_SSL: flag.default(false).describe('Whether to connect with TLS'),
  KAFKA_SSL_CA_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A PEM file with the certificate authority of the brokers'),
  KAFKA_SSL_CERT_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A PEM file with the certificate that brokers ask of this client; with KAFKA_SSL_KEY_FILE'),
  KAFKA_SSL_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('A PEM file with the private key of that certificate'),
  KAFKA_SASL_MECHANISM: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['plain', 'scram-sha-256', 'scram-sha-512']))
    .optional()
    .describe('How to authenticate: plain, scram-sha-256 or scram-sha-512; unset for not at all'),
  KAFKA_SASL_USERNAME: z.string().min(1).optional().describe('The user name for SASL'),
  KAFKA_SASL_PASSWORD: secret.optional().describe('The password for SASL'),
  KAFKA_TOPIC_PARTITIONS: whole(1, 1_000).default(3).describe('Partitions of a topic that Signalbox creates'),
  KAFKA_REPLICATION_FACTOR: whole(1, 9)
    .default(1)
    .describe('Replicas of a topic that Signalbox creates; 3 in production'),
  KAFKA_TOPIC_RETENTION_MS: whole(-1, 2 ** 50)
    .default(604_800_000)
    .describe('How long topics that Signalbox creates keep messages, in milliseconds; -1 for ever'),
  KAFKA_CREATE_TOPICS: flag.default(true).describe('Whether missing topics are created at start'),
  KAFKA_MAX_MESSAGE_BYTES: whole(1_024, 100_000_000)
    .default(1_000_000)
    .describe("Largest message that the relay sends, in bytes; not above the brokers' max.message.bytes"),
  KAFKA_COMPRESSION: z
    .enum(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
    .default('none')
    .describe('How batches are compressed; zstd needs Node 22.15 or newer'),
};

/** What the relay alone reads. */
export const relayVariables = {
  RELAY_PORT: port.default(8001).describe("Port of the relay's livez, readyz and metrics"),
  RELAY_INSTANCE: z
    .string()
    .min(1)
    .optional()
    .describe('Name of this relay among its peers; default host name and process id'),
  RELAY_PAGE_SIZE: whole(1, 10_000).default(1_000).describe('Rows read from one lane at a time'),
  RELAY_POLL_INTERVAL_MS: whole(10, 60_000)
    .default(1_000)
    .describe('Longest time between two looks at an idle outbox, in milliseconds'),
  RELAY_LEASE_MS: whole(1_000, 600_000)
    .default(15_000)
    .describe('How long a lane belongs to a relay that says nothing, in milliseconds'),
  RELAY_RETRY_MAX_MS: whole(100, 600_000)
    .default(10_000)
    .describe('Longest pause between two attempts during an outage, in milliseconds'),
  RELAY_POISON_POLICY: z
    .enum(['wait', 'pass'])
    .default('wait')
    .describe('Whether later events of an aggregate wait behind its parked event or pass it'),
  OUTBOX_RETENTION_MS: whole(-1, 2 ** 50)
    .default(604_800_000)
    .describe('How long published events stay in the outbox, to be replayed, in milliseconds; -1 for ever'),
};

/** What the consumers alone read. */
export const consumerVariables = {
  CONSUMERS_PORT: port.default(8002).describe("Port of the consumers' livez, readyz and metrics"),
  CONSUMERS_SERVICE_NAME: z
    .string()
    .min(1)
    .default('signalbox-consumers')
    .describe('metadata.source of the events that consumers append'),
  CONSUMER_GROUP_PREFIX: z
    .string()
    .regex(/^[a-zA-Z0-9._-]+$/)
    .default('signalbox')
    .describe('Groups are named prefix.consumer'),
  CONSUMER_RETRY_LIMIT: whole(0, 1_000)
    .default(5)
    .describe('Retries of a failing handler before its message becomes a dead letter'),
  CONSUMER_RETRY_MAX_MS: whole(10, 600_000)
    .default(10_000)
    .describe('Longest pause between two retries, in milliseconds'),
  CONSUMER_SESSION_TIMEOUT_MS: whole(6_000, 300_000)
    .default(30_000)
    .describe('How long a silent consumer keeps its partitions, in milliseconds'),
};

/** All variables that Signalbox knows, by name. */
export const allVariables = {
  ...commonVariables,
  ...serverVariables,
  ...captureVariables,
  ...kafkaVariables,
  ...relayVariables,
  ...consumerVariables,
};
