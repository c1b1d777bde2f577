/* `signalbox/kafka`: connections to Kafka as Signalbox makes them, and its topics. */

export { createKafka, type KafkaSettings } from '../kafka/kafkajs/client';
export { declaredTopics } from '../kafka/declaredTopics';
export { deadLetterTopic, topicOf } from '../kafka/topicNames';
export { ensureTopics } from '../kafka/topics';
