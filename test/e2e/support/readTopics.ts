/** Reads several topics of any broker from their beginning to their present end. */
import { Kafka, logLevel } from 'kafkajs';
import { type ReceivedMessage, uniqueName } from '../../support/kafka';
import { waitFor } from '../../support/waitFor';

export async function readTopics(brokers: string, topics: readonly string[]): Promise<ReceivedMessage[]> {
  const kafka = new Kafka({
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 10, maxRetryTime: 1_000 },
  });
  const missing = await endsOf(kafka, topics);
  const messages: ReceivedMessage[] = [];
  const consumer = kafka.consumer({
    groupId: uniqueName('reader'),
    maxWaitTimeInMs: 100,
    retry: { retries: 10 },
  });
  await consumer.connect();
  try {
    await consumer.subscribe({ topics: [...topics], fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, partition, message: { offset, timestamp, key, value } }) => {
        messages.push({
          topic,
          partition,
          offset,
          timestamp,
          key: String(key),
          value: String(value),
          headers: {},
        });
        if (missing.get(`${topic} ${partition}`) === offset) missing.delete(`${topic} ${partition}`);
      },
    });
    await waitFor(() => missing.size === 0, { deadlineMs: 90_000, what: 'the ends of the topics' });
    return messages;
  } finally {
    await consumer.disconnect();
  }
}

/** The offset of the last message of each partition that has one. */
async function endsOf(kafka: Kafka, topics: readonly string[]): Promise<Map<string, string>> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const ends = new Map<string, string>();
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        if (BigInt(high) > BigInt(low)) ends.set(`${topic} ${partition}`, String(BigInt(high) - 1n));
      }
    }
    return ends;
  } finally {
    await admin.disconnect();
  }
}
