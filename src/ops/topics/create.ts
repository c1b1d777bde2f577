import { ensureTopics } from '../../kafka/topics/topics';
import { describeTopicTrouble } from '../../kafka/topics/topicTrouble';
import { UserError } from '../../shared/lifecycle';
import type { Tools } from '../command';
import { exitCodes } from '../exitCodes';
import { withKafka } from '../kafka';
import { report } from '../output/report';

/**
 * `ops topics create`: creates the declared topics that are missing and leaves the others as they are; what a container
 * runs where the programs themselves may not create topics (KAFKA_CREATE_TOPICS=false).
 */
export async function createTopics(
  tools: Tools,
  { json = false }: { readonly json?: boolean },
): Promise<number> {
  const { created, troubles, account } = await withKafka(tools, async ({ kafka, config, catalogue }) => ({
    ...(await ensureTopics(kafka, catalogue, { ...config, KAFKA_CREATE_TOPICS: true })),
    account: config.KAFKA_SASL_USERNAME,
  }));
  if (troubles.length > 0)
    throw new UserError(troubles.map((trouble) => describeTopicTrouble(trouble, account)).join(' '));
  const text =
    created.length === 0
      ? 'All declared topics exist.'
      : created.map((topic) => `Created ${topic}`).join('\n');
  report(tools.stdout, json, { data: { created }, text });
  return exitCodes.ok;
}
