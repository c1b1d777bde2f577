import { randomUUID } from 'node:crypto';
import { Partitioners } from 'kafkajs';
import type { KafkaClient } from '../../src/kafka/ports';
import { encodeEvent } from '../../src/kafka/messages/message';
import { topicOf } from '../../src/kafka/topics/topicNames';

const partitions = 6;
const perSend = 1_000;

/** Events of as many patients as there are messages, as the relay would publish them. */
export async function fillTopic(kafka: KafkaClient, topicPrefix: string, messages: number): Promise<void> {
  const topic = topicOf(topicPrefix, 'patient.created');
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }] });
  await admin.disconnect();
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  for (let sent = 0; sent < messages; sent += perSend) {
    const count = Math.min(perSend, messages - sent);
    const batch = Array.from({ length: count }, (_, index) => message(topicPrefix, sent + index));
    await producer.send({ topic, acks: -1, messages: batch });
  }
  await producer.disconnect();
}

function message(topicPrefix: string, position: number) {
  const id = randomUUID();
  const data = { patient_id: id, name: 'Bench Patient', email: `${id}@example.com`, phone: '+49 30 123456' };
  const { key, value, headers } = encodeEvent(
    {
      eventId: randomUUID(),
      eventType: 'patient.created',
      eventVersion: '1.0',
      aggregateType: 'patient',
      aggregateId: id,
      occurredAt: new Date(),
      source: 'bench',
      correlationId: randomUUID(),
      causationId: null,
      actor: 'user:4711',
      traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
      position: String(position + 1),
      data: JSON.stringify(data),
    },
    topicPrefix,
  );
  return { key, value, headers };
}
