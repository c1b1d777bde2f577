/** The ways of consuming that are compared. All write the same row of audit_log for each message. */
import type { EachBatchPayload, Kafka, KafkaMessage } from 'kafkajs';
import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { createConsumer } from '../../src/consumers/consumer';
import { auditLog, auditLogTogether } from '../../src/healthcore/consumers/auditLog';
import { createConsumerMetrics } from '../../src/consumers/metrics';
import type { SharedTransactions } from '../../src/healthcore/consumers/types';
import { type AnyEvent, catalogue } from '../../src/healthcore/catalogue';
import type { Prisma } from '../../src/generated/prisma/client';
import { createKafka } from '../../src/kafka/kafkajs/client';
import { topicOf } from '../../src/kafka/topics/topicNames';
import { createCapturedClient } from '../../src/healthcore/capturedClient';
import { createPool } from '../../src/shared/database';
import { createPrismaClient } from '../../src/healthcore/createPrismaClient';
import type { Logger } from '../../src/shared/logger';

export interface VariantOptions {
  readonly databaseUrl: string;
  readonly brokers: string[];
  readonly topicPrefix: string;
  readonly group: string;
  readonly logger: Logger;
}

/** Starts to consume and goes on until its process is ended. */
type Start = (options: VariantOptions) => Promise<void>;

/** As `npm run consumers` has them. */
const partitionsAtOnce = 4;
const poolSize = 10;

const kafkaOf = ({ brokers, logger }: VariantOptions): Kafka =>
  // The baselines are written for kafkajs itself.
  createKafka(
    { KAFKA_BOOTSTRAP_SERVERS: brokers, KAFKA_CLIENT_ID: 'bench', KAFKA_SSL: false },
    logger,
  ) as Kafka;

const databaseOf = ({ databaseUrl, logger }: VariantOptions) => ({
  databaseUrl,
  logger,
  poolSize,
  applicationName: 'bench',
});

/** The shipped audit-log consumer, wired as its program does it. */
const runner =
  (sharedTransactions: SharedTransactions): Start =>
  async (options) => {
    const { logger, group, topicPrefix } = options;
    const handler = auditLog['patient.created'];
    if (!handler) throw new Error('the audit log has no handler');
    const consumer = createConsumer({
      name: group,
      group,
      handlers: { 'patient.created': handler },
      sharedTransactions,
      kafka: kafkaOf(options),
      catalogue,
      topicPrefix,
      database: await createCapturedClient('middleware', databaseOf(options), { source: 'bench', logger }),
      logger,
      metrics: createConsumerMetrics(new Registry()),
      retry: { retryLimit: 5, retryMaxMs: 10_000 },
      sessionTimeoutMs: 30_000,
      partitionsAtOnce,
    });
    await consumer.start();
  };

const eventOf = ({ value }: KafkaMessage): AnyEvent => JSON.parse(String(value)) as AnyEvent;

/** A consumer as people write it: no validation, no inbox, no retries, no dead letters. */
async function bare(
  options: VariantOptions,
  eachBatch: (payload: EachBatchPayload) => Promise<void>,
): Promise<void> {
  const consumer = kafkaOf(options).consumer({ groupId: options.group, maxWaitTimeInMs: 500 });
  await consumer.connect();
  await consumer.subscribe({
    topics: [topicOf(options.topicPrefix, 'patient.created')],
    fromBeginning: true,
  });
  await consumer.run({ partitionsConsumedConcurrently: partitionsAtOnce, eachBatch });
}

/** One insert for each message, in a transaction of its own. */
function oneByOne(options: VariantOptions, insert: (event: AnyEvent) => Promise<unknown>): Promise<void> {
  return bare(options, async (payload) => {
    for (const message of payload.batch.messages) {
      await insert(eventOf(message));
      payload.resolveOffset(message.offset);
      await payload.heartbeat();
    }
  });
}

const barePrisma: Start = async (options) => {
  const prisma = createPrismaClient({ ...databaseOf(options), comments: [] });
  await oneByOne(options, (event) => {
    const { metadata } = event;
    return prisma.auditEntry.createMany({
      skipDuplicates: true,
      data: [
        {
          eventId: event.event_id,
          eventType: event.event_type,
          aggregateType: metadata.aggregate_type,
          aggregateId: metadata.aggregate_id,
          sequence: BigInt(metadata.sequence),
          actor: metadata.actor,
          correlationId: metadata.correlation_id,
          occurredAt: new Date(event.timestamp),
          data: event.data satisfies object as Prisma.InputJsonObject,
        },
      ],
    });
  });
};

const columns =
  'event_id, event_type, aggregate_type, aggregate_id, sequence, actor, correlation_id, occurred_at, data';

const rowOf = ({ event_id, event_type, timestamp, metadata, data }: AnyEvent): unknown[] => [
  event_id,
  event_type,
  metadata.aggregate_type,
  metadata.aggregate_id,
  metadata.sequence,
  metadata.actor,
  metadata.correlation_id,
  timestamp,
  JSON.stringify(data),
];

const barePg: Start = async (options) => {
  const pool: Pool = createPool(databaseOf(options));
  const text = `INSERT INTO audit_log (${columns}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`;
  await oneByOne(options, (event) => pool.query(text, rowOf(event)));
};

/** One insert for a hundred messages: as fast as it gets, and one bad row fails them all. */
const barePgBatches: Start = async (options) => {
  const pool: Pool = createPool(databaseOf(options));
  const types = ['uuid', 'text', 'text', 'text', 'bigint', 'text', 'text', 'timestamptz', 'jsonb'];
  const arrays = types.map((type, index) => `$${index + 1}::${type}[]`).join(', ');
  const text = `INSERT INTO audit_log (${columns}) SELECT * FROM unnest(${arrays}) ON CONFLICT DO NOTHING`;
  await bare(options, async (payload) => {
    for (let from = 0; from < payload.batch.messages.length; from += 100) {
      const messages = payload.batch.messages.slice(from, from + 100);
      const rows = messages.map((message) => rowOf(eventOf(message)));
      await pool.query(
        text,
        types.map((_, column) => rows.map((row) => row[column])),
      );
      payload.resolveOffset(messages.at(-1)?.offset ?? '');
      await payload.heartbeat();
    }
  });
};

/** By the names of the table, in its order. */
export const variants: Readonly<Record<string, Start>> = {
  'runner, audit-log as shipped': runner(auditLogTogether),
  'runner, handlers in a shared transaction': runner({ most: auditLogTogether.most }),
  'runner, a transaction a message': runner({ most: 1 }),
  'bare, Prisma, an insert a message': barePrisma,
  'bare, pg, an insert a message': barePg,
  'bare, pg, an insert for 100': barePgBatches,
};
