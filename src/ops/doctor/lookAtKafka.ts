import { createKafka } from '../../kafka/kafkajs/client';
import { reasonsKnown } from '../../kafka/connection/explain';
import { errorTypes } from '../../kafka/errorTypes';
import { withAdmin } from '../../kafka/withAdmin';
import { ConfigError, loadConfig } from '../../shared/config/load';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import type { Admin } from '../groups/find';
import {
  explainKafkaError,
  isKafkaEnabled,
  type KafkaTools,
  opsKafkaVariables,
  requestTimeoutMs,
} from '../kafka';
import { deadLetterCheck } from './deadLetters';
import { fail, type Finding, runChecks, warn } from './finding';
import { brokerFindings, kafkaChecks } from './kafka';
import type { OpenedDatabase } from './lookAtDatabase';
import { targetCheck } from './target';

/** Connecting comes before the checks, which have a deadline of their own. */
const deadlineMs = 25_000;

/** Everything that can be looked at in Kafka; the count of dead letters needs the database too. */
export async function lookAtKafka(
  { catalogue, environment, logger }: Tools,
  database: OpenedDatabase,
  maxLag: bigint,
): Promise<Finding[]> {
  if (!isKafkaEnabled(environment)) {
    const remedy = 'Set it to true when events are to be published.';
    return [warn('kafka', 'KAFKA_ENABLED is false: nothing is published or consumed', remedy)];
  }
  const config = readConfig(environment);
  if (!config) return [];
  const run = (): Promise<Finding[]> => {
    const kafkaTools = { catalogue, kafka: createKafka(config, logger, { requestTimeoutMs }), config };
    return look(kafkaTools, database, maxLag).catch(async (error: unknown) => {
      await reasonsKnown(kafkaTools.kafka);
      return [explained(error, kafkaTools)];
    });
  };
  return runChecks([{ name: 'kafka', run }], deadlineMs);
}

function look(kafkaTools: KafkaTools, { connection }: OpenedDatabase, maxLag: bigint): Promise<Finding[]> {
  const { catalogue, kafka, config } = kafkaTools;
  return withAdmin(kafka, async (admin) => {
    const { brokers, clusterId } = await admin.describeCluster();
    const named = { clusterId, topicPrefix: config.KAFKA_TOPIC_PREFIX };
    const checks = [
      ...kafkaChecks({ catalogue, admin, config, maxLag }),
      ...(connection
        ? [targetCheck(connection.pool, named), deadLetterCheck(kafkaTools, connection.pool)]
        : []),
    ];
    const down = await brokersDown(admin, new Set(brokers.map(({ nodeId }) => nodeId)));
    return [...brokerFindings({ brokers: brokers.length, down }, config), ...(await runChecks(checks))];
  });
}

/** Brokers that hold replicas of topics and are not among the living. */
async function brokersDown(admin: Admin, alive: ReadonlySet<number>): Promise<number[]> {
  // A topic without a leader fails the request that names it, and is found by the topics' own check.
  const { topics } = await admin.fetchTopicMetadata({ topics: [] }).catch((error: unknown) => {
    if (errorTypes(error).includes('LEADER_NOT_AVAILABLE')) return { topics: [] };
    throw error;
  });
  const holders = topics.flatMap(({ partitions }) => partitions.flatMap(({ replicas }) => replicas));
  return [...new Set(holders)].filter((id) => !alive.has(id)).toSorted((a, b) => a - b);
}

/** Undefined when it cannot be read, which is reported with the configuration. */
function readConfig(environment: Tools['environment']): KafkaTools['config'] | undefined {
  try {
    return loadConfig(opsKafkaVariables, environment);
  } catch (error) {
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function explained(error: unknown, kafkaTools: KafkaTools): Finding {
  const known = explainKafkaError(error, kafkaTools);
  if (!(known instanceof UserError)) throw error;
  return fail('kafka', known.message, 'Events wait in the outbox meanwhile.');
}
