/** Notes when each event reaches a consumer, and writes all of it to a file when it is stopped. */
import { writeFile } from 'node:fs/promises';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { GroupConsumer } from '../../../src/kafka/groups/groupConsumer';
import { topicOf } from '../../../src/kafka/topics/topicNames';
import { loadConfig } from '../../../src/shared/config/load';
import { kafkaVariables } from '../../../src/shared/config/variables';
import { runUntilSignal } from '../../../src/shared/lifecycle';
import type { Logger } from '../../../src/shared/logger';
import { runProgram } from '../../../src/shared/program';
import { eventTypesUsed } from '../outbox';

async function main(logger: Logger): Promise<number> {
  const config = loadConfig(kafkaVariables, process.env);
  const received: [eventId: string, atMs: number][] = [];
  const consumer = new GroupConsumer({
    kafka: createKafka(config, logger),
    group: `${config.KAFKA_TOPIC_PREFIX}-latency`,
    topics: eventTypesUsed.map((type) => topicOf(config.KAFKA_TOPIC_PREFIX, type)),
    handle: async ({ headers }) => {
      received.push([String(headers['event_id']), performance.timeOrigin + performance.now()]);
      return { kind: 'done' };
    },
    logger,
    fromBeginning: true,
    sessionTimeoutMs: 30_000,
    partitionsAtOnce: 12,
    retryMaxMs: 1_000,
    onAssigned: () => logger.info('assigned'),
  });
  const code = await runUntilSignal({ logger, services: [consumer], failed: consumer.failed });
  const [file = 'received.json'] = process.argv.slice(2);
  await writeFile(file, JSON.stringify(received));
  return code;
}

void runProgram('consumer', process.env, main);
