/**
 * The baseline of every drain: kafkajs by itself, with the relay's settings, the relay's messages and as many of them
 * to a send, all in memory before the first one goes out.
 */
import { CompressionTypes, Partitioners, type TopicMessages } from 'kafkajs';
import { Client } from 'pg';
import { createKafka } from '../../../src/kafka/kafkajs/client';
import { encodeEvent, type OutgoingEvent, type OutgoingMessage } from '../../../src/kafka/messages/message';
import { producerSettings } from '../../../src/kafka/kafkajs/checkedProducer';
import { byTopic } from '../../../src/kafka/publish/producer';
import { logRowColumns } from '../../../src/outbox/log/readPage';
import { loadConfig } from '../../../src/shared/config/load';
import { commonVariables, kafkaVariables } from '../../../src/shared/config/variables';
import type { Logger } from '../../../src/shared/logger';
import { runProgram } from '../../../src/shared/program';

const messagesPerSend = 2_000;

async function main(logger: Logger): Promise<number> {
  const config = loadConfig({ ...commonVariables, ...kafkaVariables }, process.env);
  const [after = '0'] = process.argv.slice(2);
  const messages = await readMessages(config.DATABASE_URL, config.KAFKA_TOPIC_PREFIX, after);
  const sends: TopicMessages[][] = [];
  for (let start = 0; start < messages.length; start += messagesPerSend) {
    sends.push(byTopic(messages.slice(start, start + messagesPerSend)));
  }
  const producer = createKafka(config, logger).producer({
    ...producerSettings,
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  logger.info('sending');
  for (const topicMessages of sends) {
    await producer.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages });
  }
  logger.info('sent');
  await new Promise<void>((resolve) => process.once('SIGTERM', () => resolve()));
  await producer.disconnect();
  return 0;
}

async function readMessages(databaseUrl: string, prefix: string, after: string): Promise<OutgoingMessage[]> {
  const database = new Client({ connectionString: databaseUrl });
  await database.connect();
  const messages: OutgoingMessage[] = [];
  for (let last = after; ;) {
    const { rows } = await database.query<OutgoingEvent>(
      `SELECT ${logRowColumns('$2::int')} FROM signalbox.outbox o WHERE o.position > $1 ORDER BY o.position LIMIT 20000`,
      [last, 1_000_000],
    );
    if (rows.length === 0) break;
    messages.push(...rows.map((row) => encodeEvent(row, prefix)));
    last = rows.at(-1)?.position ?? last;
  }
  await database.end();
  return messages;
}

void runProgram('producer', process.env, main);
