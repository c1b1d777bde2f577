/** A member of the group whose effects are counted: one row for each event that it handles. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createConsumer } from '../../../src/consumers/consumer';
import { handleEveryEvent } from '../../../src/consumers/handlers';
import { createConsumerMetrics } from '../../../src/consumers/metrics';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { createPrismaClient } from '../../../src/healthcore/createPrismaClient';
import { runUntilSignal } from '../../../src/shared/lifecycle';
import type { Logger } from '../../../src/shared/logger';
import { createMetrics } from '../../../src/shared/metrics';
import { runProgram } from '../../../src/shared/program';
import { catalogue } from '../../../src/healthcore/catalogue';

/** How often a handler fails after its effect, or takes long. */
const failures = 0.005;
const delays = 0.005;

void runProgram('consumer', process.env, main);

async function main(logger: Logger): Promise<number> {
  const {
    DATABASE_URL: databaseUrl = '',
    KAFKA_BOOTSTRAP_SERVERS = '',
    KAFKA_TOPIC_PREFIX = '',
  } = process.env;
  const member = process.env['CHAOS_MEMBER'] ?? '';
  const database = createPrismaClient({
    databaseUrl,
    poolSize: 6,
    applicationName: 'chaos-consumer',
    logger,
  });
  const kafka = createKafka(
    {
      KAFKA_BOOTSTRAP_SERVERS: KAFKA_BOOTSTRAP_SERVERS.split(','),
      KAFKA_CLIENT_ID: member,
      KAFKA_SSL: false,
    },
    logger,
  );
  const consumer = createConsumer({
    name: 'chaos',
    group: `${KAFKA_TOPIC_PREFIX}.chaos`,
    handlers: handleEveryEvent(catalogue, async ({ event_id }, { tx, message }) => {
      await tx.$executeRaw`INSERT INTO chaos.effect (event_id, topic, member)
        VALUES (${event_id}::uuid, ${message.topic}, ${member})`;
      const dice = Math.random();
      if (dice < failures) throw new Error('this handler failed by chance');
      if (dice > 1 - delays) await sleep(Math.random() * 2_000);
    }),
    kafka,
    catalogue,
    topicPrefix: KAFKA_TOPIC_PREFIX,
    database,
    logger,
    metrics: createConsumerMetrics(createMetrics('chaos')),
    retry: { retryLimit: 10, retryMaxMs: 500 },
    sessionTimeoutMs: 6_000,
  });
  const code = await runUntilSignal({ logger, services: [consumer], failed: consumer.failed });
  await database.$disconnect();
  return code;
}
