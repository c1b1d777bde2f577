import type { Pool } from 'pg';
import { countOpenLetters } from '../../consumers/deadLetters/countOpen';
import { deadLetterTopic } from '../../kafka/topics/topicNames';
import { letterRanges } from '../dlq/letters';
import type { KafkaTools } from '../kafka';
import { counted } from '../output/counted';
import { type Check, type Finding, ok, warn } from './finding';

/** How many dead letters nobody has dealt with: counted by offsets, without reading them. */
export function deadLetterCheck({ kafka, config }: KafkaTools, pool: Pool): Check {
  const check = 'dead letters';
  return {
    name: check,
    run: async (): Promise<Finding[]> => {
      const topic = deadLetterTopic(config.KAFKA_TOPIC_PREFIX);
      const open = await countOpenLetters(pool, await letterRanges(kafka, topic));
      if (open === 0) return [ok(check, 'none is to be dealt with')];
      return [
        warn(check, `${counted(open, 'dead letter')} to be dealt with`, 'See "npx signalbox ops dlq list".'),
      ];
    },
  };
}
