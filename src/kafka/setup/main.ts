/**
 * Creates the topics that Signalbox declares and ends; what a container runs where the programs themselves may not
 * create topics (KAFKA_CREATE_TOPICS=false). Topics that exist are left as they are.
 */
import { loadConfig } from '../../shared/config/load';
import { kafkaVariables } from '../../shared/config/variables';
import type { Logger } from '../../shared/logger';
import { UserError } from '../../shared/lifecycle';
import { catalogue } from '../../healthcore/catalogue';
import { runProgram } from '../../shared/program';
import { createKafka } from '../client';
import { explain, reasonsKnown } from '../connection/explain';
import { ensureTopics } from '../topics';
import { describeTopicTrouble } from '../topicTrouble';

async function main(logger: Logger): Promise<number> {
  const config = loadConfig(kafkaVariables, process.env);
  const kafka = createKafka(config, logger);
  const { created, troubles } = await ensureTopics(kafka, catalogue, {
    ...config,
    // Somebody who runs this wants them created.
    KAFKA_CREATE_TOPICS: true,
  }).catch(async (error: unknown) => {
    await reasonsKnown(kafka);
    throw new UserError(
      `The topics could not be created on ${config.KAFKA_BOOTSTRAP_SERVERS.join(',')}: ${explain(kafka, error).words}.`,
      { cause: error },
    );
  });
  for (const topic of created) logger.info({ topic }, 'topic created');
  if (troubles.length > 0) {
    const account = config.KAFKA_SASL_USERNAME;
    throw new UserError(troubles.map((trouble) => describeTopicTrouble(trouble, account)).join(' '));
  }
  logger.info({ created: created.length }, 'all declared topics exist');
  return 0;
}

void runProgram('kafka-setup', process.env, main);
