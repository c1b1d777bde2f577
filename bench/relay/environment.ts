import { loadConfig } from '../../src/shared/config/load';
import { kafkaVariables } from '../../src/shared/config/variables';

type KafkaConfig = ReturnType<typeof loadConfig<typeof kafkaVariables>>;

/** The settings that Signalbox ships with, for this broker and these topics. */
export function kafkaSettings(broker: string, prefix: string): KafkaConfig {
  return loadConfig(kafkaVariables, { KAFKA_BOOTSTRAP_SERVERS: broker, KAFKA_TOPIC_PREFIX: prefix });
}

/** The same for a program. */
export const programEnvironment = (databaseUrl: string, broker: string, prefix: string) => ({
  DATABASE_URL: databaseUrl,
  KAFKA_BOOTSTRAP_SERVERS: broker,
  KAFKA_TOPIC_PREFIX: prefix,
});
