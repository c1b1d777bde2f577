import type { Catalogue } from '../events/catalogue';
import { createKafka } from '../kafka/kafkajs/client';
import { explain, reasonsKnown } from '../kafka/connection/explain';
import { errorTypes } from '../kafka/errorTypes';
import { loadConfig } from '../shared/config/load';
import { consumerVariables, kafkaVariables } from '../shared/config/variables';
import { UserError } from '../shared/lifecycle';
import type { Tools } from './command';

/** A frozen broker is given up after three times as long; creating topics takes up to five seconds. */
export const requestTimeoutMs = 6_000;

/** `npm start` has its broker here; a developer's ops commands should find it without a word. */
const embeddedBroker = ['127.0.0.1:29092'];

export const opsKafkaVariables = {
  ...kafkaVariables,
  KAFKA_BOOTSTRAP_SERVERS: kafkaVariables.KAFKA_BOOTSTRAP_SERVERS.default(embeddedBroker),
  CONSUMER_GROUP_PREFIX: consumerVariables.CONSUMER_GROUP_PREFIX,
};

export type OpsKafkaConfig = ReturnType<typeof loadConfig<typeof opsKafkaVariables>>;

/** Whether relay and consumers are to use Kafka; true where the variable cannot be read. */
export function isKafkaEnabled(environment: Tools['environment']): boolean {
  return kafkaVariables.KAFKA_ENABLED.catch(true).parse(environment['KAFKA_ENABLED'] || undefined);
}

/** Kafka as ops commands use it. */
export interface KafkaTools {
  readonly catalogue: Catalogue;
  readonly kafka: ReturnType<typeof createKafka>;
  readonly config: OpsKafkaConfig;
}

/**
 * Runs `use` with a client of the brokers that KAFKA_BOOTSTRAP_SERVERS names.
 * @throws UserError, one line, for what Kafka refuses or because nobody answers.
 */
export async function withKafka<T>(
  { catalogue, environment, logger }: Tools,
  use: (tools: KafkaTools) => Promise<T>,
): Promise<T> {
  const config = loadConfig(opsKafkaVariables, environment);
  const kafka = createKafka(config, logger, { requestTimeoutMs });
  try {
    return await use({ catalogue, kafka, config });
  } catch (error) {
    await reasonsKnown(kafka);
    throw explainKafkaError(error, { kafka, config });
  }
}

/** An error of kafkajs in words for an operator; any other one as it is. */
export function explainKafkaError(
  error: unknown,
  { kafka, config }: Pick<KafkaTools, 'kafka' | 'config'>,
): unknown {
  const types = errorTypes(error);
  if (error instanceof UserError || !types.some((type) => type.startsWith('KafkaJS'))) return error;
  const { fatal, words } = explain(kafka, error);
  const brokers = config.KAFKA_BOOTSTRAP_SERVERS.join(', ');
  if (!fatal && types.some((type) => unreachable.includes(type))) {
    return new UserError(
      `No Kafka broker answers at ${brokers} (${words}). Start it, or set KAFKA_BOOTSTRAP_SERVERS.`,
      { cause: error },
    );
  }
  const [type] = types.filter((name) => !name.startsWith('KafkaJS')).slice(-1);
  const named = type === undefined || words.includes(type) ? words : `${type}: ${words}`;
  return new UserError(fatal ? `Kafka cannot be used: ${words}.` : `Kafka: ${named}.`, { cause: error });
}

const unreachable = ['KafkaJSConnectionError', 'KafkaJSConnectionClosedError', 'KafkaJSRequestTimeoutError'];
