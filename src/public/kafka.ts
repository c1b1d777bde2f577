/* `signalbox/kafka`: connections to Kafka as Signalbox makes them, and its topics. */

export { createKafka, type KafkaSettings } from '../kafka/kafkajs/client';
export { declaredTopics } from '../kafka/topics/declaredTopics';
export { deadLetterTopic, topicOf } from '../kafka/topics/topicNames';
export { ensureTopics } from '../kafka/topics/topics';
